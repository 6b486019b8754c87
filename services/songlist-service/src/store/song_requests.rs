use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::{TenantId, UserId};
use kit_pg::{Conn, TxError, Window, behind, like_anywhere, of_tenant};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::filters::Key;
use crate::schema::song_requests;

/// The states of open requests.
const OPEN: [&str; 2] = ["PENDING", "APPROVED"];

#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset, Serialize, Deserialize)]
#[diesel(table_name = song_requests, treat_none_as_null = true)]
pub(crate) struct SongRequest {
    pub id: Uuid,
    pub tenant_id: Uuid,
    pub user_id: Uuid,
    pub song_title: String,
    pub artist_name: String,
    pub album_name: String,
    pub additional_notes: String,
    pub title_norm: String,
    pub artist_norm: String,
    pub status: String,
    pub reviewed_by: Option<Uuid>,
    pub reviewed_at: Option<DateTime<Utc>>,
    pub rejection_reason: String,
    pub fulfilled_song: Option<Uuid>,
    pub fulfilled_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
}

/// Which requests are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub owner: Option<UserId>,
    pub statuses: Vec<String>,
    /// A text in its compared form, contained in title or artist.
    pub q: Option<String>,
}

pub(crate) async fn insert(conn: &mut Conn, row: &SongRequest) -> Result<(), TxError> {
    diesel::insert_into(song_requests::table).values(row).execute(conn).await?;
    Ok(())
}

pub(crate) async fn update(conn: &mut Conn, tenant: TenantId, row: &SongRequest) -> Result<(), TxError> {
    let own =
        song_requests::table.filter(of_tenant(song_requests::tenant_id, tenant)).filter(song_requests::id.eq(row.id));
    diesel::update(own).set(row).execute(conn).await?;
    Ok(())
}

/// Deletes a request.
pub(crate) async fn delete(
    conn: &mut Conn,
    tenant: TenantId,
    id: Uuid,
    by: UserId,
    now: DateTime<Utc>,
) -> Result<(), TxError> {
    let own = song_requests::table.filter(of_tenant(song_requests::tenant_id, tenant)).filter(song_requests::id.eq(id));
    diesel::update(own)
        .set((
            song_requests::deleted_at.eq(now),
            song_requests::deleted_by.eq(by.0),
            song_requests::version.eq(song_requests::version + 1),
            song_requests::updated_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

fn live(id: TenantId, filter: &Filter) -> song_requests::BoxedQuery<'static, Pg> {
    let mut query = song_requests::table
        .filter(of_tenant(song_requests::tenant_id, id))
        .filter(song_requests::deleted_at.is_null())
        .into_boxed();
    if let Some(owner) = filter.owner {
        query = query.filter(song_requests::user_id.eq(owner.0));
    }
    if !filter.statuses.is_empty() {
        query = query.filter(song_requests::status.eq_any(filter.statuses.clone()));
    }
    if let Some(q) = &filter.q {
        let part = like_anywhere(q);
        query = query.filter(song_requests::title_norm.like(part.clone()).or(song_requests::artist_norm.like(part)));
    }
    query
}

pub(crate) async fn find(mut conn: &Conn, tenant: TenantId, filter: &Filter, id: Uuid) -> Result<SongRequest, TxError> {
    let own = live(tenant, filter).filter(song_requests::id.eq(id));
    Ok(own.select(SongRequest::as_select()).first(&mut conn).await?)
}

pub(crate) async fn find_for_update(conn: &mut Conn, tenant: TenantId, id: Uuid) -> Result<SongRequest, TxError> {
    Ok(song_requests::table
        .filter(of_tenant(song_requests::tenant_id, tenant))
        .filter(song_requests::id.eq(id))
        .filter(song_requests::deleted_at.is_null())
        .select(SongRequest::as_select())
        .for_update()
        .first(conn)
        .await?)
}

/// The open request for a song, by any user.
pub(crate) async fn find_open(
    mut conn: &Conn,
    tenant: TenantId,
    title: &str,
    artist: &str,
) -> Result<Option<SongRequest>, TxError> {
    let open = Filter { statuses: OPEN.map(str::to_owned).to_vec(), ..Filter::default() };
    Ok(live(tenant, &open)
        .filter(song_requests::title_norm.eq(title.to_owned()))
        .filter(song_requests::artist_norm.eq(artist.to_owned()))
        .select(SongRequest::as_select())
        .first(&mut conn)
        .await
        .optional()?)
}

/// The number of open requests of a user.
pub(crate) async fn open_of(mut conn: &Conn, tenant: TenantId, user: UserId) -> Result<i64, TxError> {
    let filter = Filter { owner: Some(user), statuses: OPEN.map(str::to_owned).to_vec(), ..Filter::default() };
    Ok(live(tenant, &filter).count().get_result(&mut conn).await?)
}

pub(crate) async fn count(mut conn: &Conn, tenant: TenantId, filter: &Filter) -> Result<i64, TxError> {
    Ok(live(tenant, filter).count().get_result(&mut conn).await?)
}

/// The requests that match the filter, the newest first.
pub(crate) async fn list(
    mut conn: &Conn,
    tenant: TenantId,
    filter: &Filter,
    after: Option<&Key>,
    window: Window,
) -> Result<Vec<SongRequest>, TxError> {
    let mut query = live(tenant, filter);
    if let Some(Key::Time(at, id)) = after {
        query = query.filter(behind(true, (song_requests::created_at, song_requests::id), *at, *id));
    }
    let newest = query.order((song_requests::created_at.desc(), song_requests::id.desc()));
    let mut rows: Vec<SongRequest> = window.of(newest.select(SongRequest::as_select())).load(&mut conn).await?;
    rows.truncate(usize::try_from(window.rows).unwrap_or(usize::MAX));
    Ok(rows)
}
