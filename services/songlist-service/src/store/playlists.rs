use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use kit::ids::{TenantId, UserId};
use kit::page::Page;
use kit_pg::{Conn, TxError, Window, of_tenant};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::schema::playlists;

#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset, Serialize, Deserialize)]
#[diesel(table_name = playlists)]
pub(crate) struct Playlist {
    pub id: Uuid,
    pub tenant_id: Uuid,
    pub user_id: Uuid,
    pub name: String,
    pub name_norm: String,
    pub description: String,
    pub song_count: i64,
    pub total_duration: i64,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
}

pub(crate) async fn insert(conn: &mut Conn, row: &Playlist) -> Result<(), TxError> {
    diesel::insert_into(playlists::table).values(row).execute(conn).await?;
    Ok(())
}

/// Live playlists of a tenant, of one owner when given.
fn live(id: TenantId, owner: Option<UserId>) -> playlists::BoxedQuery<'static, Pg> {
    let live = playlists::table
        .filter(of_tenant(playlists::tenant_id, id))
        .filter(playlists::deleted_at.is_null())
        .into_boxed();
    match owner {
        Some(owner) => live.filter(playlists::user_id.eq(owner.0)),
        None => live,
    }
}

pub(crate) async fn find(
    mut conn: &Conn,
    tenant: TenantId,
    owner: Option<UserId>,
    id: Uuid,
) -> Result<Playlist, TxError> {
    Ok(live(tenant, owner).filter(playlists::id.eq(id)).select(Playlist::as_select()).first(&mut conn).await?)
}

pub(crate) async fn find_for_update(
    conn: &mut Conn,
    tenant: TenantId,
    owner: Option<UserId>,
    id: Uuid,
) -> Result<Playlist, TxError> {
    // A boxed query cannot lock rows, so the row is locked first and read after that.
    let _: Uuid = playlists::table
        .filter(of_tenant(playlists::tenant_id, tenant))
        .filter(playlists::id.eq(id))
        .select(playlists::id)
        .for_update()
        .first(conn)
        .await?;
    find(conn, tenant, owner, id).await
}

pub(crate) async fn count(mut conn: &Conn, tenant: TenantId, owner: Option<UserId>) -> Result<i64, TxError> {
    Ok(live(tenant, owner).count().get_result(&mut conn).await?)
}

pub(crate) async fn list(
    mut conn: &Conn,
    tenant: TenantId,
    owner: Option<UserId>,
    page: &Page,
) -> Result<Vec<Playlist>, TxError> {
    let newest = live(tenant, owner).order((playlists::created_at.desc(), playlists::id.desc()));
    let window = Window { rows: page.size.into(), offset: page.offset() };
    let mut rows: Vec<Playlist> = window.of(newest.select(Playlist::as_select())).load(&mut conn).await?;
    rows.truncate(usize::try_from(page.size).unwrap_or(usize::MAX));
    Ok(rows)
}

/// Stores a playlist that `find_for_update` has locked.
pub(crate) async fn update(conn: &mut Conn, tenant: TenantId, row: &Playlist) -> Result<(), TxError> {
    let own = playlists::table.filter(of_tenant(playlists::tenant_id, tenant)).filter(playlists::id.eq(row.id));
    diesel::update(own).set(row).execute(conn).await?;
    Ok(())
}

/// Deletes a playlist.
pub(crate) async fn delete(
    conn: &mut Conn,
    tenant: TenantId,
    id: Uuid,
    by: UserId,
    now: DateTime<Utc>,
) -> Result<(), TxError> {
    let own = playlists::table.filter(of_tenant(playlists::tenant_id, tenant)).filter(playlists::id.eq(id));
    diesel::update(own)
        .set((
            playlists::deleted_at.eq(now),
            playlists::deleted_by.eq(by.0),
            playlists::version.eq(playlists::version + 1),
            playlists::updated_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Updates counts and version after the entries were changed.
pub(crate) async fn changed(
    conn: &mut Conn,
    tenant: TenantId,
    id: Uuid,
    (songs, seconds): (i64, i64),
    now: DateTime<Utc>,
) -> Result<Playlist, TxError> {
    let row = playlists::table.filter(of_tenant(playlists::tenant_id, tenant)).filter(playlists::id.eq(id));
    Ok(diesel::update(row)
        .set((
            playlists::song_count.eq(playlists::song_count + songs),
            playlists::total_duration.eq(playlists::total_duration + seconds),
            playlists::version.eq(playlists::version + 1),
            playlists::updated_at.eq(now),
        ))
        .returning(Playlist::as_returning())
        .get_result(conn)
        .await?)
}

/// A link whose song became longer, or with a negative number of seconds shorter.
pub(crate) struct Longer {
    pub tenant: Uuid,
    pub link: Uuid,
    pub by: i64,
}

/// The entries of links: ids of tenants, of links, and seconds.
const OF_LINKS: &str = "unnest($1, $2, $3) AS longer (tenant_id, link_id, seconds)
    JOIN playlist_entries e ON e.tenant_id = longer.tenant_id AND e.tenant_song_id = longer.link_id";

/// Changes the durations of the playlists that hold these links, whose rows are locked.
pub(crate) async fn lengthen(conn: &mut Conn, links: &[Longer]) -> Result<(), TxError> {
    if links.is_empty() {
        return Ok(());
    }
    // Locked first and summed up in another statement, which sees what was added and removed meanwhile.
    let lock = format!(
        "SELECT p.id FROM playlists p WHERE p.id IN (SELECT e.playlist_id FROM {OF_LINKS}) ORDER BY p.id FOR UPDATE"
    );
    let lengthen = format!(
        "UPDATE playlists p SET total_duration = p.total_duration + d.seconds
         FROM (SELECT e.playlist_id, sum(longer.seconds)::bigint AS seconds FROM {OF_LINKS} GROUP BY 1) d
         WHERE p.id = d.playlist_id"
    );
    for statement in [lock, lengthen] {
        diesel::sql_query(statement)
            .bind::<Array<SqlUuid>, _>(links.iter().map(|link| link.tenant).collect::<Vec<_>>())
            .bind::<Array<SqlUuid>, _>(links.iter().map(|link| link.link).collect::<Vec<_>>())
            .bind::<Array<BigInt>, _>(links.iter().map(|link| link.by).collect::<Vec<_>>())
            .execute(conn)
            .await?;
    }
    Ok(())
}
