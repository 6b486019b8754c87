//! How the songs of a catalogue that match filters are found.

use diesel::prelude::*;
use kit_pg::{Conn, TxError};

use super::{Query, count, filtered, lists, of_each_visibility};
use crate::store::access_paths::{AccessPath, are_many};
use crate::store::filters::{Filters, have_trigrams};
use crate::store::short_parts;
use crate::store::songs::{Catalogue, sample};

/// Songs that are counted are read only once as long as they are not more than this.
const FEW_TO_COUNT: i64 = 50_000;
/// The same for a page without a count, which reading the list soon finds when many songs match.
const FEW_OF_PAGE: i64 = 10_000;

/// The access path to the songs that match, or to a page of them when they are not `counted`; a query for each visibility.
pub(super) async fn access_path(
    conn: &Conn,
    catalogue: Catalogue,
    filters: &Filters,
    counted: bool,
) -> Result<AccessPath<Vec<Query>>, TxError> {
    let texts = [&filters.title, &filters.artist, &filters.album];
    if texts.iter().any(|parts| have_trigrams(parts)) {
        return Ok(if counted {
            AccessPath::ByParts(lists(catalogue, filters), FEW_TO_COUNT)
        } else {
            AccessPath::InOrder
        });
    }
    if texts.iter().all(|parts| parts.is_empty()) {
        return Ok(AccessPath::InOrder);
    }
    let sample = sample(conn, catalogue, filters.visibility).await?;
    let visibility = Filters { visibility: filters.visibility, ..Filters::default() };
    let length = count(conn, catalogue, &visibility).await?;
    // Without a count a page is found by reading the list, unless songs that match are rare.
    let most = if counted { short_parts::few(filters) } else { FEW_OF_PAGE };
    if short_parts::in_catalogue::condition(filters).is_some() && short_parts::are_few(&sample, length, most, filters) {
        let rest = Filters { title: Vec::new(), album: Vec::new(), ..filters.clone() };
        let lists = of_each_visibility(catalogue, &rest).into_iter().filter_map(|rest| {
            short_parts::in_catalogue::condition(filters).map(|parts| filtered(catalogue, &rest).filter(parts))
        });
        return Ok(AccessPath::ByParts(lists.collect(), most));
    }
    let most = if counted { FEW_TO_COUNT } else { FEW_OF_PAGE };
    Ok(if are_many(&sample, length, most, filters) { AccessPath::InOrder } else { AccessPath::InIndex(most) })
}
