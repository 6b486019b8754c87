//! One page of ordered lists: each is read from its own index, and only as far as the page needs. With `OR` between their
//! conditions the planner would sort the lists whole.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::BigInt;

use crate::Window;
use crate::window::{limit_of, walk_window};

/// A page of one query, or of several that select the same columns and have the same order, which `order` says in the names of these
/// columns.
pub fn merged<Q>(lists: Vec<Q>, order: &'static str, window: Window) -> Merged<Q> {
    Merged { lists, order, limit: limit_of(window.rows), offset: window.offset }
}

/// The query that [`merged`] makes.
#[derive(Clone, Debug)]
pub struct Merged<Q> {
    lists: Vec<Q>,
    order: &'static str,
    limit: i64,
    offset: i64,
}

impl<Q: Query> Query for Merged<Q> {
    type SqlType = Q::SqlType;
}

impl<Q> QueryId for Merged<Q> {
    type QueryId = ();
    // The order is part of the SQL, so prepared statements are cached by their text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Merged<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        if let [list] = self.lists.as_slice() {
            return walk_window(list, self.limit, &self.offset, out);
        }
        let skips = self.offset > 0;
        let mut before = "SELECT * FROM ((";
        for list in &self.lists {
            out.push_sql(before);
            before = ") UNION ALL (";
            list.walk_ast(out.reborrow())?;
            // The rows of the page may all be of one list.
            out.push_sql(&format!(" LIMIT {}", self.limit));
            if skips {
                out.push_sql(" + ");
                out.push_bind_param::<BigInt, _>(&self.offset)?;
            }
        }
        out.push_sql(&format!(")) AS merged ORDER BY {} LIMIT {}", self.order, self.limit));
        if skips {
            out.push_sql(" OFFSET ");
            out.push_bind_param::<BigInt, _>(&self.offset)?;
        }
        Ok(())
    }
}
