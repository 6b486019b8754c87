//! Queries of fixed SQL, which connections keep prepared. What `diesel::sql_query` makes is parsed and planned each time.

use std::fmt::{Debug, Formatter};
use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{SingleValue, SqlType};

/// A query with this text, in which each `?` stands for a value; its rows have the types `ST`. The text must not depend on what was asked:
/// each connection keeps every text.
pub fn fixed_sql<ST>(text: &'static str) -> FixedSql<ST> {
    FixedSql { text, values: Vec::new(), row: PhantomData }
}

/// The query that [`fixed_sql`] makes.
pub struct FixedSql<ST> {
    text: &'static str,
    values: Vec<Box<dyn QueryFragment<Pg> + Send>>,
    row: PhantomData<fn() -> ST>,
}

impl<ST> FixedSql<ST> {
    /// The value of the next `?`.
    #[must_use]
    pub fn bind<T, V>(mut self, value: V) -> Self
    where
        T: SqlType + SingleValue,
        V: AsExpression<T>,
        V::Expression: QueryFragment<Pg> + Send + 'static,
    {
        self.values.push(Box::new(value.as_expression()));
        self
    }
}

impl<ST> Debug for FixedSql<ST> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text)
    }
}

impl<ST> Query for FixedSql<ST> {
    type SqlType = ST;
}

impl<ST> QueryId for FixedSql<ST> {
    type QueryId = ();
    // Prepared statements are cached by their text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST> QueryFragment<Pg> for FixedSql<ST> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut values = self.values.iter();
        for (place, part) in self.text.split('?').enumerate() {
            if place > 0
                && let Some(value) = values.next()
            {
                value.walk_ast(out.reborrow())?;
            }
            out.push_sql(part);
        }
        Ok(())
    }
}
