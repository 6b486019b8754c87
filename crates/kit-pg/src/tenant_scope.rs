use std::time::Duration;

use kit::caller::{Actor, Caller};
use kit::ids::TenantId;

/// Which rows a transaction may see; row-level security compares the scope with every row of a tenant table.
///
/// No scope sees everything: the platform's scope sees rows without a tenant, the worker's scope sees the tables whose
/// policies allow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Rows of one tenant; GLOBAL rows can be read.
    Tenant(TenantId),
    /// Rows of the platform: SUPER_ADMINs, GLOBAL songs, genres.
    Platform,
    /// Background work: outbox, mail, jobs, projections.
    Worker,
}

impl Scope {
    /// The scope of a caller.
    ///
    /// # Errors
    /// `Forbidden` for a caller who is not signed in.
    pub fn of(caller: &Caller) -> kit::Result<Self> {
        match &caller.actor {
            Actor::User { tenant, .. } => Ok(Self::Tenant(*tenant)),
            Actor::Platform { .. } => Ok(Self::Platform),
            Actor::System { .. } => Ok(Self::Worker),
            Actor::Anonymous => Err(kit::Error::forbidden()),
        }
    }

    /// A tenant's scope, or the platform's when there is none.
    pub fn tenant_or_platform(tenant: Option<TenantId>) -> Self {
        tenant.map_or(Self::Platform, Self::Tenant)
    }

    /// The tenant, when there is one.
    pub fn tenant(self) -> Option<TenantId> {
        match self {
            Self::Tenant(tenant) => Some(tenant),
            Self::Platform | Self::Worker => None,
        }
    }

    /// BEGIN and the settings in one round trip. It is sent through the transaction manager only: after a cancelled raw
    /// BEGIN the next user of the connection would still have the tenant set.
    ///
    /// A batch that fills an empty table must not keep the plan for the empty table, so for writes Postgres decides
    /// when it plans.
    pub(crate) fn begin_sql(self) -> String {
        format!("BEGIN; SET LOCAL plan_cache_mode = auto; {}{}", self.settings(), statement_timeout())
    }

    /// For a read whose queries have one good plan for all parameters. Planning once per connection is the connections'
    /// default.
    pub fn one_plan(self) -> ReadScope {
        ReadScope { scope: self, plan_each_time: false, search: false }
    }

    /// For a read whose good plan depends on its parameters, such as a deep page or a search: Postgres makes it each
    /// time.
    pub fn plan_each_time(self) -> ReadScope {
        ReadScope { scope: self, plan_each_time: true, search: false }
    }

    /// For a read that may look at many rows to find few: searches, filters by parts of texts, deep pages. Fewer of them
    /// run at a time than of other reads, see `shares.rs`.
    pub fn search(self) -> ReadScope {
        ReadScope { scope: self, plan_each_time: true, search: true }
    }

    fn settings(self) -> String {
        let (name, tenant) = match self {
            Self::Tenant(tenant) => ("tenant", tenant.to_string()),
            Self::Platform => ("platform", String::new()),
            Self::Worker => ("worker", String::new()),
        };
        format!("SET LOCAL app.tenant = '{tenant}'; SET LOCAL app.scope = '{name}'")
    }
}

/// The scope of a read, and when its queries are planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadScope {
    scope: Scope,
    plan_each_time: bool,
    search: bool,
}

impl From<Scope> for ReadScope {
    /// A read that is not known to have one good plan is planned each time.
    fn from(scope: Scope) -> Self {
        scope.plan_each_time()
    }
}

impl ReadScope {
    /// The tenant, when there is one.
    pub(crate) fn tenant(self) -> Option<TenantId> {
        self.scope.tenant()
    }

    /// True when it may look at many rows to find few.
    pub(crate) fn is_search(self) -> bool {
        self.search
    }

    /// BEGIN and the settings in one text. `SET LOCAL` needs no plan, in contrast to `SELECT set_config`. All queries
    /// read one snapshot, so that a page and its count agree.
    pub(crate) fn begin_sql(self) -> String {
        let settings = self.scope.settings();
        let plans = if self.plan_each_time { "; SET LOCAL plan_cache_mode = force_custom_plan" } else { "" };
        format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {settings}{plans}{}", statement_timeout())
    }
}

/// A request with less time than this limits its statements to what is left of it. With more, the statement is cancelled
/// when the request ends (`connection.rs`), which costs nothing: the setting takes Postgres 8 µs, a tenth of a page.
const SHORT: Duration = Duration::from_secs(1);

/// Limits statements that begin late in their request. Background work has the limit of the connection.
fn statement_timeout() -> String {
    kit::deadline::remaining()
        .filter(|left| *left < SHORT)
        .map(|left| format!("; SET LOCAL statement_timeout = {}", left.as_millis().max(1)))
        .unwrap_or_default()
}
