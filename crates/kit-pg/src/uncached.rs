//! Statements whose text depends on what was asked: they are not kept prepared, or a connection would have one for every
//! question.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

/// A query that is prepared for one execution only.
pub fn uncached<Q>(query: Q) -> Uncached<Q> {
    Uncached(query)
}

/// The query that [`uncached`] makes.
#[derive(Clone, Debug)]
pub struct Uncached<Q>(Q);

impl<Q: Query> Query for Uncached<Q> {
    type SqlType = Q::SqlType;
}

impl<Q> QueryId for Uncached<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Uncached<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        self.0.walk_ast(out)
    }
}
