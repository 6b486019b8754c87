//! Substring filters: any number of values in one condition. A chain of ORs is walked recursively by diesel, and a long
//! one overflows the stack of the thread.

use diesel::QueryResult;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, Bool, Text};

/// `column LIKE …`, or `column LIKE ANY (…)`: true for columns that contain one of the texts.
pub fn contains_any<C>(column: C, texts: &[String]) -> LikeAny<C> {
    like_any(column, texts.iter().map(|text| like_anywhere(text)).collect())
}

/// The same for columns that match one of the patterns.
pub fn like_any<C>(column: C, patterns: Vec<String>) -> LikeAny<C> {
    LikeAny { column, patterns, by_index: true }
}

/// The condition that [`contains_any`] and [`like_any`] make.
#[derive(Clone, Debug)]
pub struct LikeAny<C> {
    column: C,
    patterns: Vec<String>,
    by_index: bool,
}

impl<C> LikeAny<C> {
    /// The same, checked on rows that other conditions find. A GIN index of trigrams is read whole for a text that has none, once for each
    /// value of another condition.
    #[must_use]
    pub fn without_index(self) -> Self {
        Self { by_index: false, ..self }
    }
}

impl<C: Expression> Expression for LikeAny<C> {
    type SqlType = Bool;
}

impl<C: AppearsOnTable<From>, From> AppearsOnTable<From> for LikeAny<C> {}

impl<C: SelectableExpression<From>, From> SelectableExpression<From> for LikeAny<C> {}

impl<C> ValidGrouping<()> for LikeAny<C> {
    type IsAggregate = is_aggregate::No;
}

impl<C: QueryId> QueryId for LikeAny<C> {
    // One text and several are two statements.
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C: QueryFragment<Pg>> QueryFragment<Pg> for LikeAny<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        if self.by_index {
            self.column.walk_ast(out.reborrow())?;
        } else {
            out.push_sql("(");
            self.column.walk_ast(out.reborrow())?;
            out.push_sql(" || '')");
        }
        // Each row is compared a little faster without an array.
        if let [pattern] = self.patterns.as_slice() {
            out.push_sql(" LIKE ");
            return out.push_bind_param::<Text, _>(pattern);
        }
        out.push_sql(" LIKE ANY (");
        out.push_bind_param::<Array<Text>, _>(&self.patterns)?;
        out.push_sql(")");
        Ok(())
    }
}

/// A LIKE pattern for values that contain `text`; wildcards in `text` are escaped.
pub fn like_anywhere(text: &str) -> String {
    format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn wildcards_of_the_text_are_taken_literally() {
        assert_eq!(super::like_anywhere(r"50%_\"), r"%50\%\_\\%");
    }
}
