//! The tenant predicate: the one way a query names its tenant, so that the isolation proof can switch this wall off and show
//! that row-level security alone holds.

use diesel::expression::AsExpression;
use diesel::sql_types::SqlType;
use diesel::{Expression, ExpressionMethods};
use kit::ids::TenantId;
use uuid::Uuid;

#[cfg(debug_assertions)]
static OFF: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Switches the predicate off; for testkit only, and absent from release builds.
#[cfg(debug_assertions)]
pub fn switch_off_tenant_predicate(off: bool) {
    OFF.store(off, std::sync::atomic::Ordering::SeqCst);
}

/// The predicate's type; a range in debug builds, so that it can be made to hold for every tenant.
#[cfg(debug_assertions)]
pub type OfTenant<C> = diesel::dsl::Between<C, Uuid, Uuid>;
#[cfg(not(debug_assertions))]
pub type OfTenant<C> = diesel::dsl::Eq<C, Uuid>;

/// `column = tenant`.
#[cfg(debug_assertions)]
pub fn of_tenant<C>(column: C, tenant: TenantId) -> OfTenant<C>
where
    C: ExpressionMethods + Expression,
    C::SqlType: SqlType,
    Uuid: AsExpression<C::SqlType>,
{
    if OFF.load(std::sync::atomic::Ordering::Relaxed) {
        return column.between(Uuid::nil(), Uuid::max());
    }
    column.between(tenant.0, tenant.0)
}

/// `column = tenant`.
#[cfg(not(debug_assertions))]
pub fn of_tenant<C>(column: C, tenant: TenantId) -> OfTenant<C>
where
    C: ExpressionMethods + Expression,
    C::SqlType: SqlType,
    Uuid: AsExpression<C::SqlType>,
{
    column.eq(tenant.0)
}
