use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::{TenantId, UserId};
use kit::page::Page;
use kit_pg::{Conn, TxError, Window, of_tenant};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::schema::playlists;

#[derive(Clone, Debug, Queryable, Selectable, Insertable, Serialize, Deserialize)]
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
