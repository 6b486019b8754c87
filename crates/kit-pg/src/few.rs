//! A page of a list that is filtered: while few rows match, they are all read once, counted and sorted. A plan that reads the
//! list in its order until the page is full would read all of it for rows that are rare.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Uuid};

use crate::Window;
use crate::window::limit_of;

/// The number of rows of one list or of several, up to `most` and one, and the ids of the page of them. Each query selects `id` and what
/// `order` names. Statements are prepared for each `most`, so a caller has two or three of them.
pub fn few<Q>(lists: Vec<Q>, order: &'static str, most: i64, window: Window) -> Few<Q> {
    Few { lists, order, most, limit: limit_of(window.rows), offset: window.offset }
}

/// The query that [`few`] makes.
#[derive(Clone, Debug)]
pub struct Few<Q> {
    lists: Vec<Q>,
    order: &'static str,
    most: i64,
    limit: i64,
    offset: i64,
}

impl<Q: Query> Query for Few<Q> {
    type SqlType = (BigInt, Array<Uuid>);
}

impl<Q> QueryId for Few<Q> {
    type QueryId = ();
    // The order is part of the SQL, so prepared statements are cached by their text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Few<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut before = "WITH hits AS MATERIALIZED (";
        for list in &self.lists {
            out.push_sql(before);
            before = " UNION ALL ";
            list.walk_ast(out.reborrow())?;
        }
        out.push_sql(&format!(
            " LIMIT {} + 1) SELECT (SELECT count(*) FROM hits), ARRAY(SELECT id FROM hits ORDER BY {} LIMIT {} OFFSET ",
            self.most, self.order, self.limit
        ));
        out.push_bind_param::<BigInt, _>(&self.offset)?;
        out.push_sql(")");
        Ok(())
    }
}
