//! How the songs of a catalogue that match filters are found.

use kit_pg::{Conn, TxError};

use super::{Query, count, filtered, of_each_visibility};
use crate::store::access_paths::{AccessPath, FEW_TO_COUNT, chosen};
use crate::store::filters::{Column, Filters};
use crate::store::indexed_parts::{self, Index};
use crate::store::songs::{Catalogue, sample};

/// The access path to the songs that match, or to a page of them when they are not `counted`; a query for each visibility.
pub(super) async fn access_path(
    conn: &Conn,
    catalogue: Catalogue,
    filters: &Filters,
    counted: bool,
) -> Result<AccessPath<Vec<Query>>, TxError> {
    if Column::ALL.iter().all(|column| filters.parts(*column).is_empty()) {
        return Ok(AccessPath::InOrder);
    }
    if indexed_parts::have_all_trigrams(filters) {
        let parts = || AccessPath::ByParts(by_parts(catalogue, filters, Index::Trigrams), FEW_TO_COUNT);
        return Ok(if counted { parts() } else { AccessPath::InOrder });
    }
    let sample = sample(conn, catalogue, filters.visibility).await?;
    let visibility = Filters { visibility: filters.visibility, ..Filters::default() };
    let length = count(conn, catalogue, &visibility).await?;
    let index = Index::of(filters, &sample);
    let parts = indexed_parts::looked_up(filters, index).map(|parts| (parts, by_parts(catalogue, filters, index)));
    Ok(chosen(&sample, length, filters, counted, parts))
}

/// The songs that match, to be found by parts of their texts in this index.
pub(super) fn by_parts(catalogue: Catalogue, filters: &Filters, index: Index) -> Vec<Query> {
    let seen = of_each_visibility(catalogue, &Filters { visibility: filters.visibility, ..Filters::default() });
    seen.iter().map(|seen| indexed_parts::in_catalogue::found(filtered(catalogue, seen), filters, index)).collect()
}
