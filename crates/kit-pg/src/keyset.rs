//! The condition of a page by cursor: the rows behind a key, which is a value of the column that a list is sorted by, and an id.

use diesel::QueryResult;
use diesel::expression::{
    AppearsOnTable, AsExpression, Expression, SelectableExpression, TypedExpressionType, ValidGrouping, is_aggregate,
};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Bool, SqlType, Uuid as SqlUuid};
use uuid::Uuid;

/// True for rows behind a value of `column` and, where the value is the same, behind an id, in ascending or descending order of both. As
/// a comparison of rows it is a condition of an index that has both; written with AND and OR, all rows that have the same value would be
/// read.
pub fn behind<C, I, V>(descending: bool, (column, id_column): (C, I), value: V, id: Uuid) -> Behind<C, I, V::Expression>
where
    C: Expression<SqlType: SqlType + TypedExpressionType>,
    V: AsExpression<C::SqlType>,
{
    Behind {
        column,
        id_column,
        comparison: if descending { ") < (" } else { ") > (" },
        value: value.as_expression(),
        id,
    }
}

/// The condition that [`behind`] makes.
#[derive(Clone, Debug)]
pub struct Behind<C, I, V> {
    column: C,
    id_column: I,
    comparison: &'static str,
    value: V,
    id: Uuid,
}

impl<C: Expression, I: Expression, V> Expression for Behind<C, I, V> {
    type SqlType = Bool;
}

impl<C: AppearsOnTable<From>, I: AppearsOnTable<From>, V, From> AppearsOnTable<From> for Behind<C, I, V> {}

impl<C: SelectableExpression<From>, I: SelectableExpression<From>, V, From> SelectableExpression<From>
    for Behind<C, I, V>
{
}

impl<C, I, V> ValidGrouping<()> for Behind<C, I, V> {
    type IsAggregate = is_aggregate::No;
}

impl<C, I, V> QueryId for Behind<C, I, V> {
    // Each direction is a statement of its own.
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C: QueryFragment<Pg>, I: QueryFragment<Pg>, V: QueryFragment<Pg>> QueryFragment<Pg> for Behind<C, I, V> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(");
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        self.id_column.walk_ast(out.reborrow())?;
        out.push_sql(self.comparison);
        self.value.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        out.push_bind_param::<SqlUuid, _>(&self.id)?;
        out.push_sql(")");
        Ok(())
    }
}
