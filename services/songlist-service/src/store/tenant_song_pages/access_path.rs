//! How the links of a list that match filters are found.

use diesel::prelude::*;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, with_one_plan};

use super::{Query, matching};
use crate::schema::tenant_songs;
use crate::store::access_paths::{AccessPath, FEW, FEW_TO_COUNT, chosen};
use crate::store::filters::Filters;
use crate::store::indexed_parts::Index;
use crate::store::tenant_songs::live;
use crate::store::{indexed_parts, tenant_artists, tenant_song_counts, tenant_song_landmarks};

/// The access path to the links that match, or to a page of them when they are not `counted`.
pub(super) async fn access_path(
    conn: &Conn,
    id: TenantId,
    filters: &Filters,
    counted: bool,
) -> Result<AccessPath<Query>, TxError> {
    // Artists have an index, and so have genres: parts find links that are of both, when the artists are many.
    let of_many_artists = filters.artists.is_none() && !filters.artist.is_empty();
    let no_title_or_album = filters.title.is_empty() && filters.album.is_empty();
    if no_title_or_album && !(of_many_artists && filters.genres.is_some()) {
        return Ok(AccessPath::InIndex(FEW));
    }
    let most = if counted { FEW_TO_COUNT } else { FEW };
    if indexed_parts::have_all_trigrams(filters) && !no_title_or_album {
        return Ok(AccessPath::ByParts(by_parts(id, filters, Index::Trigrams), most));
    }
    let sample = tenant_song_landmarks::sample(conn, id).await?;
    let index = Index::of(filters, &sample);
    let parts = indexed_parts::looked_up(filters, index);
    if sample.is_empty() {
        // A list without landmarks is short, and read through as fast.
        return Ok(AccessPath::InIndex(most));
    }
    if let Some(artists) = &filters.artists
        && tenant_artists::are_narrow(&sample, artists, parts.as_ref())
    {
        return Ok(AccessPath::ByParts(of_artists(id, filters, artists), most));
    }
    let length = with_one_plan(conn, async |conn: &Conn| tenant_song_counts::kept(conn, id, None).await).await?;
    Ok(chosen(&sample, length, filters, counted, parts.map(|parts| (parts, by_parts(id, filters, index)))))
}

/// The links that match, to be found by parts of their texts in this index.
pub(super) fn by_parts(id: TenantId, filters: &Filters, index: Index) -> Query {
    let rest = Filters { visibility: filters.visibility, is_active: filters.is_active, ..Filters::default() };
    indexed_parts::on_list::found(matching(live(id), &rest, |_| false), filters, index)
}

/// The links that match, to be found by their artists: the texts are compared on their rows.
pub(super) fn of_artists(id: TenantId, filters: &Filters, artists: &[String]) -> Query {
    matching(live(id), filters, |_| false).filter(tenant_songs::artist_norm.eq_any(artists.to_vec()))
}
