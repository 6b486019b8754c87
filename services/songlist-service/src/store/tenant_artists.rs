//! The distinct artists of a tenant's list, which triggers keep: a filter by artist finds its artists first, and their songs by them.

use diesel::prelude::*;
use kit::ids::TenantId;
use kit_pg::{contains_any, of_tenant, one_of};

use super::filters::Filters;
use super::search::Condition;
use crate::schema::{tenant_artists, tenant_songs};

/// True when artists are better found here: a part of one letter is in most of them, and many artists are no good condition beside
/// that on a title.
pub(super) fn finds(filters: &Filters) -> bool {
    let parts = || filters.artist.iter();
    let alone = filters.title.is_empty() && filters.album.is_empty();
    alone && parts().next().is_some() && parts().all(|part| part.chars().count() >= 2)
}

/// True for links to songs of artists whose compared form contains one of `parts`.
pub(super) fn by_artist_with(id: TenantId, parts: &[String]) -> Condition<tenant_songs::table> {
    let artists = tenant_artists::table
        .filter(of_tenant(tenant_artists::tenant_id, id))
        .filter(contains_any(tenant_artists::artist_norm, parts))
        .select(tenant_artists::artist_norm);
    Box::new(one_of(tenant_songs::artist_norm, artists))
}
