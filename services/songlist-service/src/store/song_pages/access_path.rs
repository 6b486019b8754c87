//! How the songs of a catalogue that match filters are found.

use diesel::prelude::*;
use kit_pg::{Conn, TxError};

use super::{Query, count, filtered, lists, of_each_visibility};
use crate::store::access_paths::{AccessPath, FEW_TO_COUNT, chosen};
use crate::store::filters::{Filters, have_trigrams};
use crate::store::short_parts;
use crate::store::songs::{Catalogue, sample};

/// The access path to the songs that match, or to a page of them when they are not `counted`; a query for each visibility.
pub(super) async fn access_path(
    conn: &Conn,
    catalogue: Catalogue,
    filters: &Filters,
    counted: bool,
) -> Result<AccessPath<Vec<Query>>, TxError> {
    let texts = [&filters.title, &filters.artist, &filters.album];
    let by_trigrams = texts.iter().any(|parts| have_trigrams(parts));
    if by_trigrams && counted {
        return Ok(AccessPath::ByParts(lists(catalogue, filters), FEW_TO_COUNT));
    }
    if by_trigrams || texts.iter().all(|parts| parts.is_empty()) {
        return Ok(AccessPath::InOrder);
    }
    let sample = sample(conn, catalogue, filters.visibility).await?;
    let visibility = Filters { visibility: filters.visibility, ..Filters::default() };
    let length = count(conn, catalogue, &visibility).await?;
    let rest = Filters { title: Vec::new(), album: Vec::new(), ..filters.clone() };
    let with_parts = |rest: &Filters| {
        short_parts::in_catalogue::condition(filters).map(|parts| filtered(catalogue, rest).filter(parts))
    };
    let parts = of_each_visibility(catalogue, &rest).iter().map(with_parts).collect();
    Ok(chosen(&sample, length, filters, counted, parts))
}
