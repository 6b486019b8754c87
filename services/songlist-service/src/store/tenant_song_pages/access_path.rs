//! How the links of a list that match filters are found.

use diesel::prelude::*;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, contains_any};

use super::{Query, found, matching};
use crate::schema::tenant_songs;
use crate::store::access_paths::{AccessPath, FEW, FEW_TO_COUNT, chosen};
use crate::store::filters::Filters;
use crate::store::tenant_artists::by_artist;
use crate::store::tenant_songs::live;
use crate::store::{short_parts, tenant_artists, tenant_song_counts, tenant_song_landmarks};

/// The access path to the links that match, or to a page of them when they are not `counted`.
pub(super) async fn access_path(
    conn: &Conn,
    id: TenantId,
    filters: &Filters,
    counted: bool,
) -> Result<AccessPath<Query>, TxError> {
    if filters.title.is_empty() && filters.album.is_empty() {
        return Ok(AccessPath::InIndex(FEW));
    }
    let most = if counted { FEW_TO_COUNT } else { FEW };
    let by_trigrams = filters.has_trigrams();
    if by_trigrams && filters.artists.is_none() {
        return Ok(if counted { AccessPath::ByParts(found(id, filters), most) } else { AccessPath::InIndex(most) });
    }
    let sample = tenant_song_landmarks::sample(conn, id).await?;
    if by_trigrams {
        let is_by_artists = !sample.is_empty() && tenant_artists::are_narrow(&sample, filters, true);
        let links = if is_by_artists { of_artists(id, filters) } else { found(id, filters) };
        return Ok(if counted || is_by_artists { AccessPath::ByParts(links, most) } else { AccessPath::InIndex(most) });
    }
    let parts = short_parts::on_list::condition(filters);
    // A list without landmarks is short, and read through as fast.
    if sample.is_empty() || tenant_artists::are_narrow(&sample, filters, parts.is_some()) {
        return Ok(AccessPath::InIndex(most));
    }
    let length = tenant_song_counts::kept(conn, id, None).await?;
    let rest = Filters { title: Vec::new(), album: Vec::new(), ..filters.clone() };
    let parts = parts.map(|parts| {
        let all = matching(live(id), &rest).filter(parts);
        if filters.artist.is_empty() { all } else { all.filter(by_artist(filters)) }
    });
    Ok(chosen(&sample, length, filters, counted, parts))
}

/// The links that match, to be found by their artists: the texts are compared on their rows.
pub(super) fn of_artists(id: TenantId, filters: &Filters) -> Query {
    use tenant_songs as t;
    let rest = Filters { title: Vec::new(), album: Vec::new(), ..filters.clone() };
    let mut links = matching(live(id), &rest).filter(by_artist(filters));
    if !filters.title.is_empty() {
        links = links.filter(contains_any(t::title_norm, &filters.title).without_index());
    }
    if !filters.album.is_empty() {
        links = links.filter(contains_any(t::album_norm, &filters.album).without_index());
    }
    links
}
