//! Pages of lists: LIMIT as a literal, and counts. When LIMIT is a parameter, the planner assumes that a tenth of the
//! table's rows are wanted, and plans every page of every tenant for that.

use std::collections::HashMap;

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::BigInt;
use futures_util::future::try_join;
use kit::page::Page;
use uuid::Uuid;

use crate::TxError;

/// The limits that are written into statements: only a few, so that few statements are prepared.
const LIMITS: [i64; 4] = [11, 21, 51, 101];

/// From this offset on a page counts as deep: its list is counted first, and it is read from the nearer end of the list.
const DEEP: i64 = 1_000;

/// Which rows of an ordered query are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The number of rows wanted.
    pub rows: i64,
    /// The number of rows that are skipped before them.
    pub offset: i64,
}

impl Window {
    /// The same rows counted from the end of a list of `count` rows.
    pub fn from_end(self, count: i64) -> Self {
        let rows = self.rows.min(count - self.offset);
        Self { rows, offset: count - self.offset - rows }
    }

    /// The same rows counted from the end of a list of `count` rows, when they are nearer to its end.
    pub fn mirrored(self, count: i64) -> Option<Self> {
        let mirrored = self.from_end(count);
        (mirrored.rows > 0 && mirrored.offset < self.offset).then_some(mirrored)
    }

    /// True when so many rows are skipped that they are better skipped in an index alone.
    pub fn is_deep(self) -> bool {
        self.offset >= DEEP
    }

    /// The query limited to this window. It may return more rows than wanted, because its LIMIT is one of a few
    /// literals. It has no OFFSET when no rows are skipped.
    pub fn of<Q>(self, query: Q) -> Windowed<Q> {
        Windowed { query, limit: limit_of(self.rows), offset: self.offset }
    }
}

/// The rows in the order of their ids.
pub fn in_order<T>(mut rows: Vec<T>, ids: &[Uuid], id: impl Fn(&T) -> Uuid) -> Vec<T> {
    let places: HashMap<Uuid, usize> = ids.iter().zip(0..).map(|(id, place)| (*id, place)).collect();
    rows.sort_by_key(|row| places.get(&id(row)).copied());
    rows
}

/// The LIMIT for so many rows.
pub(crate) fn limit_of(rows: i64) -> i64 {
    LIMITS.into_iter().find(|limit| *limit >= rows).unwrap_or(rows)
}

/// A query with LIMIT as a literal and OFFSET, if any, as a parameter.
#[derive(Clone, Debug)]
pub struct Windowed<Q> {
    query: Q,
    limit: i64,
    offset: i64,
}

impl<Q: Query> Query for Windowed<Q> {
    type SqlType = Q::SqlType;
}

impl<Q> QueryId for Windowed<Q> {
    type QueryId = ();
    // The limit is part of the SQL, so prepared statements are cached by their text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Windowed<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        walk_window(&self.query, self.limit, &self.offset, out)
    }
}

/// Writes a query with LIMIT and OFFSET.
pub(crate) fn walk_window<'b>(
    query: &'b impl QueryFragment<Pg>,
    limit: i64,
    offset: &'b i64,
    mut out: AstPass<'_, 'b, Pg>,
) -> QueryResult<()> {
    query.walk_ast(out.reborrow())?;
    out.push_sql(&format!(" LIMIT {limit}"));
    if *offset > 0 {
        out.push_sql(" OFFSET ");
        out.push_bind_param::<BigInt, _>(offset)?;
    }
    Ok(())
}

/// The exact count of a list and the rows of one page, read together. The count of a deep page is read first, so that no
/// rows are skipped for a page past the end. A page by cursor has a count only when it was asked for.
///
/// # Errors
/// `page_out_of_range`; the error of a query.
pub async fn page<T>(
    page: &Page,
    count: impl Future<Output = Result<i64, TxError>>,
    rows: impl Future<Output = Result<T, TxError>>,
) -> Result<(Option<i64>, T), TxError> {
    if !page.counted() {
        return Ok((None, rows.await?));
    }
    if page.offset() >= DEEP {
        let count = count.await?;
        page.check_range(count)?;
        return Ok((Some(count), rows.await?));
    }
    let (count, rows) = try_join(count, rows).await?;
    page.check_range(count)?;
    Ok((Some(count), rows))
}

/// The same for a list that can be read from either end: `rows` is given the count of a deep page.
///
/// # Errors
/// `page_out_of_range`; the error of a query.
pub async fn page_of_either_end<T, F: Future<Output = Result<T, TxError>>>(
    page: &Page,
    window: Window,
    count: impl Future<Output = Result<i64, TxError>>,
    rows: impl FnOnce(Option<i64>) -> F,
) -> Result<(Option<i64>, T), TxError> {
    let count = async { if page.counted() { count.await.map(Some) } else { Ok(None) } };
    let (count, rows) = if window.is_deep() {
        let count = count.await?;
        page.check_range(count.unwrap_or(0))?;
        (count, rows(count).await?)
    } else {
        try_join(count, rows(None)).await?
    };
    page.check_range(count.unwrap_or(0))?;
    Ok((count, rows))
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn a_window_is_mirrored_to_the_nearer_end_only() {
        let window = |rows, offset| Window { rows, offset };
        assert_eq!(window(21, 9_990).mirrored(10_000), Some(window(10, 0)), "the last page has fewer rows");
        assert_eq!(window(21, 9_900).mirrored(10_000), Some(window(21, 79)));
        assert_eq!(window(21, 4_000).mirrored(10_000), None, "the beginning is nearer");
        assert_eq!(window(21, 10_000).mirrored(10_000), None, "past the end");
    }
}
