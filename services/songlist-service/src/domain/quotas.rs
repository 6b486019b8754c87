//! What a tenant may store in all. What a user may store is checked where it is created.

use kit::ids::TenantId;
use kit::{Code, Error};
use kit_pg::{Conn, TxError};

use crate::store::tenant_songs;

/// The most songs on a tenant's list. The gateway shows it in `/capabilities/`.
const MAX_TENANT_SONGS: i64 = 2_000_000;

/// Refuses a write after which a tenant's list would be too long; called in its transaction, after it.
///
/// # Errors
/// `quota_exceeded`.
pub(crate) async fn check_songs(conn: &Conn, tenant: TenantId) -> Result<(), TxError> {
    if tenant_songs::total(conn, tenant).await? <= MAX_TENANT_SONGS {
        return Ok(());
    }
    let text = format!("{MAX_TENANT_SONGS} songs are the most on one list. Remove some before you add more.");
    Err(Error::new(Code::QuotaExceeded).message(text).into())
}
