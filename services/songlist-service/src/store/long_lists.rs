//! Keeps what makes pages in the middle of long lists fast: landmarks in the order of time, and histograms of the other orders.

use std::collections::HashSet;
use std::time::Instant;

use kit::Error;
use kit::ids::TenantId;
use kit_pg::{Conn, Pool, Scope, TxError};

use super::{tenant_song_histograms, tenant_song_landmarks};

/// The tenants whose long lists are to be brought up to date; in any order, so that a run that ends early leaves other ones each time.
pub(crate) async fn to_complete(conn: &Conn) -> Result<Vec<TenantId>, TxError> {
    let mut tenants: HashSet<TenantId> = tenant_song_landmarks::to_complete(conn).await?.into_iter().collect();
    tenants.extend(tenant_song_histograms::to_complete(conn).await?);
    let mut tenants: Vec<TenantId> = tenants.into_iter().collect();
    fastrand::shuffle(&mut tenants);
    Ok(tenants)
}

/// Puts what has changed of a list into its landmarks and histograms, and adds what is missing until it is late. Each step is a
/// transaction: what takes too long keeps nothing else from being done. Returns how many landmarks were added.
///
/// # Errors
/// The first one.
pub(crate) async fn complete(pool: &Pool, tenant: TenantId, late: Instant) -> Result<usize, Error> {
    let put_in = async |conn: &mut Conn| tenant_song_landmarks::put_in(conn, tenant).await;
    let mut done = pool.transaction(Scope::Worker, put_in).await;
    let put_in = async |conn: &mut Conn| tenant_song_histograms::put_in(conn, tenant).await;
    done = done.and(pool.transaction(Scope::Worker, put_in).await);
    let mut added = 0;
    if Instant::now() < late {
        let add = async |conn: &mut Conn| tenant_song_landmarks::add(conn, tenant).await;
        let landmarks = pool.transaction(Scope::Worker, add).await;
        done = done.and(landmarks.map(|landmarks| added = landmarks));
    }
    for by in tenant_song_histograms::ORDERS {
        if Instant::now() < late {
            let add = async |conn: &mut Conn| tenant_song_histograms::add(conn, tenant, by).await;
            done = done.and(pool.transaction(Scope::Worker, add).await);
        }
    }
    done.map(|()| added)
}
