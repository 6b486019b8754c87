//! What a user has made, hidden and brought back as a whole.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use kit::ids::{TenantId, UserId};
use kit::{Code, Error};
use kit_pg::{Conn, TxError, of_tenant};
use uuid::Uuid;

use crate::schema::{playlists, song_requests, user_versions};

/// Makes the row of a user to lock, when there is none.
async fn put_version(conn: &mut Conn, tenant: TenantId, user: UserId) -> Result<(), TxError> {
    diesel::insert_into(user_versions::table)
        .values((
            user_versions::user_id.eq(user.0),
            user_versions::tenant_id.eq(tenant.0),
            user_versions::version.eq(0_i64),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(())
}

/// The version of the newest operation of a user that was applied, locked until the transaction ends; 0 when there was
/// none.
pub(crate) async fn lock_version(conn: &mut Conn, tenant: TenantId, user: UserId) -> Result<i64, TxError> {
    put_version(conn, tenant, user).await?;
    let row = user_versions::table.filter(of_tenant(user_versions::tenant_id, tenant));
    Ok(row.filter(user_versions::user_id.eq(user.0)).select(user_versions::version).for_update().first(conn).await?)
}

/// Records the newest operation of a user that was applied, and whether the user is deleted after it.
pub(crate) async fn set_version(conn: &mut Conn, user: UserId, version: i64, is_deleted: bool) -> Result<(), TxError> {
    let newest = (user_versions::version.eq(version), user_versions::is_deleted.eq(is_deleted));
    diesel::update(user_versions::table.find(user.0)).set(newest).execute(conn).await?;
    Ok(())
}

/// Refuses to make something for a user who is deleted: a token may serve for a moment longer than its user. A deletion that
/// arrives meanwhile waits for this transaction and hides what it makes.
///
/// # Errors
/// `token_not_valid`.
pub(crate) async fn require_live(conn: &mut Conn, tenant: TenantId, user: UserId) -> Result<(), TxError> {
    put_version(conn, tenant, user).await?;
    let deleted: bool = user_versions::table
        .filter(of_tenant(user_versions::tenant_id, tenant))
        .filter(user_versions::user_id.eq(user.0))
        .select(user_versions::is_deleted)
        .for_share()
        .first(conn)
        .await?;
    if deleted { Err(Error::new(Code::TokenNotValid).into()) } else { Ok(()) }
}

/// Deletes the live playlists and open song requests of a user that were made before `until`; all without one.
pub(crate) async fn hide(
    conn: &mut Conn,
    tenant: TenantId,
    user: UserId,
    by: Uuid,
    at: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
) -> Result<(), TxError> {
    let end = until.unwrap_or(DateTime::<Utc>::MAX_UTC.min(at + chrono::Duration::days(36_500)));
    let own = playlists::table
        .filter(of_tenant(playlists::tenant_id, tenant))
        .filter(playlists::user_id.eq(user.0))
        .filter(playlists::deleted_at.is_null())
        .filter(playlists::created_at.lt(end));
    diesel::update(own)
        .set((
            playlists::deleted_at.eq(at),
            playlists::deleted_by.eq(by),
            playlists::version.eq(playlists::version + 1),
            playlists::updated_at.eq(at),
        ))
        .execute(conn)
        .await?;
    let open = song_requests::table
        .filter(of_tenant(song_requests::tenant_id, tenant))
        .filter(song_requests::user_id.eq(user.0))
        .filter(song_requests::status.eq_any(["PENDING", "APPROVED"]))
        .filter(song_requests::deleted_at.is_null())
        .filter(song_requests::created_at.lt(end));
    diesel::update(open)
        .set((
            song_requests::deleted_at.eq(at),
            song_requests::deleted_by.eq(by),
            song_requests::version.eq(song_requests::version + 1),
            song_requests::updated_at.eq(at),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// The statement of [`restore_playlists`]. A playlist whose name is in use meanwhile, by a live one or by a newer one that
/// comes back too, gets its id behind the name.
const RESTORE_PLAYLISTS: &str = "
    UPDATE playlists p SET deleted_at = NULL, deleted_by = NULL, version = p.version + 1, updated_at = $3,
        name = CASE WHEN c.taken THEN left(p.name, 110) || ' ' || left(p.id::text, 36) ELSE p.name END,
        name_norm = CASE WHEN c.taken THEN left(p.name_norm, 110) || ' ' || left(p.id::text, 36) ELSE p.name_norm END
    FROM (
        SELECT id, row_number() OVER (PARTITION BY name_norm ORDER BY deleted_at DESC, id DESC) > 1
            OR EXISTS (
                SELECT FROM playlists l WHERE l.tenant_id = d.tenant_id AND l.user_id = d.user_id
                  AND l.name_norm = d.name_norm AND l.deleted_at IS NULL
            ) AS taken
        FROM playlists d
        WHERE tenant_id = $1 AND user_id = $2 AND ($4 AND deleted_at <= $3 AND deleted_by <> user_id
          OR deleted_at < created_at AND created_at >= $3)
    ) c
    WHERE p.id = c.id AND p.tenant_id = $1";

/// Brings back the playlists of a user at a restoration: with `data` those that others have deleted before, and always those
/// that were made later and hidden by an operation whose message came late (they were deleted before they were made).
pub(crate) async fn restore_playlists(
    conn: &mut Conn,
    tenant: TenantId,
    user: UserId,
    at: DateTime<Utc>,
    data: bool,
) -> Result<(), TxError> {
    diesel::sql_query(RESTORE_PLAYLISTS)
        .bind::<SqlUuid, _>(tenant.0)
        .bind::<SqlUuid, _>(user.0)
        .bind::<Timestamptz, _>(at)
        .bind::<Bool, _>(data)
        .execute(conn)
        .await?;
    Ok(())
}

/// The statement of [`restore_song_requests`]. A song is requested once: of several requests for it the newest comes back,
/// and none when another one is open.
const RESTORE_SONG_REQUESTS: &str = "
    UPDATE song_requests r SET deleted_at = NULL, deleted_by = NULL, version = r.version + 1, updated_at = $3
    FROM (
        SELECT id, status, row_number() OVER (
            PARTITION BY title_norm, artist_norm, status IN ('PENDING', 'APPROVED') ORDER BY created_at DESC, id DESC
        ) AS place,
        EXISTS (
            SELECT FROM song_requests o WHERE o.tenant_id = d.tenant_id AND o.title_norm = d.title_norm
              AND o.artist_norm = d.artist_norm AND o.status IN ('PENDING', 'APPROVED') AND o.deleted_at IS NULL
        ) AS taken
        FROM song_requests d
        WHERE tenant_id = $1 AND user_id = $2 AND ($4 AND deleted_at <= $3 AND deleted_by <> user_id
          OR deleted_at < created_at AND created_at >= $3)
    ) c
    WHERE r.id = c.id AND r.tenant_id = $1
      AND (c.status NOT IN ('PENDING', 'APPROVED') OR (c.place = 1 AND NOT c.taken))";

/// Brings back the song requests of a user at a restoration, as [`restore_playlists`] does.
pub(crate) async fn restore_song_requests(
    conn: &mut Conn,
    tenant: TenantId,
    user: UserId,
    at: DateTime<Utc>,
    data: bool,
) -> Result<(), TxError> {
    diesel::sql_query(RESTORE_SONG_REQUESTS)
        .bind::<SqlUuid, _>(tenant.0)
        .bind::<SqlUuid, _>(user.0)
        .bind::<Timestamptz, _>(at)
        .bind::<Bool, _>(data)
        .execute(conn)
        .await?;
    Ok(())
}
