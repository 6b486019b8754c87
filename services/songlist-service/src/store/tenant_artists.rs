//! The artists of a tenant's list, which triggers keep: a filter by artist finds its artists first, and their songs by them.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, contains_any, of_tenant, one_of};

use super::filters::Filters;
use super::search::Condition;
use crate::schema::{tenant_artists, tenant_songs};

/// So many artists are a good condition beside any other one.
const FEW: i64 = 200;

/// The artists whose compared form contains one of `parts`, each once or more often; `None` when they are more than a few.
pub(crate) async fn few_with(mut conn: &Conn, id: TenantId, parts: &[String]) -> Result<Option<Vec<String>>, TxError> {
    let artists: Vec<String> = tenant_artists::table
        .filter(of_tenant(tenant_artists::tenant_id, id))
        .filter(contains_any(tenant_artists::artist_norm, parts))
        .limit(FEW + 1)
        .select(tenant_artists::artist_norm)
        .load(&mut conn)
        .await?;
    Ok(i64::try_from(artists.len()).is_ok_and(|found| found <= FEW).then_some(artists))
}

/// True for links to songs of the artists that a filter wants.
pub(super) fn by_artist(filters: &Filters) -> Condition<tenant_songs::table> {
    match &filters.artists {
        Some(artists) => Box::new(tenant_songs::artist_norm.eq_any(artists.clone())),
        None => Box::new(contains_any(tenant_songs::artist_norm, &filters.artist)),
    }
}

/// The same when nothing else narrows the list down: many artists are found first, and then their songs in an index. A part of one
/// letter is in most of them.
pub(super) fn by_many_artists(id: TenantId, filters: &Filters) -> Condition<tenant_songs::table> {
    let alone = filters.title.is_empty() && filters.album.is_empty();
    if filters.artists.is_none() && alone && filters.artist.iter().all(|part| part.chars().count() >= 2) {
        return by_artist_with(id, &filters.artist);
    }
    by_artist(filters)
}

/// True for links to songs of artists whose compared form contains one of `parts`.
pub(super) fn by_artist_with(id: TenantId, parts: &[String]) -> Condition<tenant_songs::table> {
    let artists = tenant_artists::table
        .filter(of_tenant(tenant_artists::tenant_id, id))
        .filter(contains_any(tenant_artists::artist_norm, parts))
        .select(tenant_artists::artist_norm);
    Box::new(one_of(tenant_songs::artist_norm, artists))
}
