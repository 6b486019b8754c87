//! Values that another query finds. As an array that is read first they are conditions of an index; the planner would join `IN`
//! in the order that it estimates, and read a whole list for a few values.

use diesel::QueryResult;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::Bool;

/// `column = ANY (ARRAY(query))`: true for columns with one of the values that the query finds.
pub fn one_of<C, Q>(column: C, query: Q) -> OneOf<C, Q> {
    OneOf { column, query }
}

/// The condition that [`one_of`] makes.
#[derive(Clone, Debug)]
pub struct OneOf<C, Q> {
    column: C,
    query: Q,
}

impl<C: Expression, Q> Expression for OneOf<C, Q> {
    type SqlType = Bool;
}

impl<C: AppearsOnTable<From>, Q, From> AppearsOnTable<From> for OneOf<C, Q> {}

impl<C: SelectableExpression<From>, Q, From> SelectableExpression<From> for OneOf<C, Q> {}

impl<C, Q> ValidGrouping<()> for OneOf<C, Q> {
    type IsAggregate = is_aggregate::No;
}

impl<C, Q> QueryId for OneOf<C, Q> {
    type QueryId = ();
    // The query may be a boxed one, so prepared statements are cached by their text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C: QueryFragment<Pg>, Q: QueryFragment<Pg>> QueryFragment<Pg> for OneOf<C, Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" = ANY (ARRAY(");
        self.query.walk_ast(out.reborrow())?;
        out.push_sql("))");
        Ok(())
    }
}
