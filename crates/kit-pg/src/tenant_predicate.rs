//! The tenant predicate: the only way for a query to name its tenant. In debug builds the isolation test can switch it
//! off, to show that row-level security alone keeps tenants apart. Otherwise the SQL is the same as in a release build,
//! so that the plans that tests read are those of production.

use diesel::expression::{AppearsOnTable, AsExpression, Expression, SelectableExpression, ValidGrouping};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::SqlType;
use diesel::{ExpressionMethods, QueryResult};
use kit::ids::TenantId;
use uuid::Uuid;

#[cfg(debug_assertions)]
static OFF: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Switches the predicate off; for tests only, and absent from release builds.
#[cfg(debug_assertions)]
pub fn switch_off_tenant_predicate(off: bool) {
    OFF.store(off, std::sync::atomic::Ordering::SeqCst);
}

#[cfg(debug_assertions)]
fn is_off() -> bool {
    OFF.load(std::sync::atomic::Ordering::Relaxed)
}

#[cfg(not(debug_assertions))]
fn is_off() -> bool {
    false
}

/// `column = tenant`.
pub fn of_tenant<C>(column: C, tenant: TenantId) -> OfTenant<C>
where
    C: ExpressionMethods + Expression,
    C::SqlType: SqlType,
    Uuid: AsExpression<C::SqlType>,
{
    TenantPredicate(column.eq(tenant.0))
}

/// The type of `of_tenant(column, tenant)`.
pub type OfTenant<C> = TenantPredicate<diesel::dsl::Eq<C, Uuid>>;

/// An equation that the isolation test can make true for every row.
#[derive(Clone, Copy, Debug)]
pub struct TenantPredicate<E>(E);

impl<E: Expression> Expression for TenantPredicate<E> {
    type SqlType = E::SqlType;
}

impl<E: AppearsOnTable<From>, From> AppearsOnTable<From> for TenantPredicate<E> {}

impl<E: SelectableExpression<From>, From> SelectableExpression<From> for TenantPredicate<E> where
    Self: AppearsOnTable<From>
{
}

impl<E: ValidGrouping<By>, By> ValidGrouping<By> for TenantPredicate<E> {
    type IsAggregate = E::IsAggregate;
}

impl<E: QueryId> QueryId for TenantPredicate<E> {
    type QueryId = TenantPredicate<E::QueryId>;
    // In debug builds the SQL may change, so prepared statements are cached by their text.
    const HAS_STATIC_QUERY_ID: bool = E::HAS_STATIC_QUERY_ID && !cfg!(debug_assertions);
}

impl<E: QueryFragment<Pg>> QueryFragment<Pg> for TenantPredicate<E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        if !is_off() {
            return self.0.walk_ast(out);
        }
        out.push_sql("(");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(" OR TRUE)");
        Ok(())
    }
}
