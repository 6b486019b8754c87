//! How the links of a list that match filters are found.

use diesel::prelude::*;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError};

use super::{FEW, Query, found, matching};
use crate::store::access_paths::{AccessPath, are_many};
use crate::store::filters::Filters;
use crate::store::tenant_artists::by_artist;
use crate::store::tenant_songs::live;
use crate::store::{short_parts, tenant_song_counts, tenant_song_landmarks};

/// Links that are counted are read only once as long as they are not more than this.
const FEW_TO_COUNT: i64 = 50_000;

/// The access path to the links that match, or to a page of them when they are not `counted`.
pub(super) async fn access_path(
    conn: &Conn,
    id: TenantId,
    filters: &Filters,
    counted: bool,
) -> Result<AccessPath<Query>, TxError> {
    if filters.has_trigrams() && counted {
        return Ok(AccessPath::ByParts(found(id, filters), FEW_TO_COUNT));
    }
    let has_texts = !(filters.title.is_empty() && filters.album.is_empty());
    if filters.has_trigrams() || filters.artists.is_some() || !has_texts {
        return Ok(AccessPath::InIndex(FEW));
    }
    let sample = tenant_song_landmarks::sample(conn, id).await?;
    // A list without landmarks is short, and read through as fast.
    if sample.is_empty() {
        return Ok(AccessPath::InIndex(FEW));
    }
    let length = tenant_song_counts::kept(conn, id, None).await?;
    // Without a count a page is found by reading the list, unless links that match are rare.
    let most = if counted { short_parts::few(filters) } else { FEW };
    if let Some(parts) = short_parts::on_list::condition(filters)
        && short_parts::are_few(&sample, length, most, filters)
    {
        let rest = Filters { title: Vec::new(), album: Vec::new(), ..filters.clone() };
        let all = matching(live(id), &rest).filter(parts);
        return Ok(AccessPath::ByParts(
            if filters.artist.is_empty() { all } else { all.filter(by_artist(filters)) },
            most,
        ));
    }
    let most = if counted { FEW_TO_COUNT } else { FEW };
    Ok(if are_many(&sample, length, most, filters) { AccessPath::InOrder } else { AccessPath::InIndex(most) })
}
