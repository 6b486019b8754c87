use kit::caller::{Actor, Caller};
use kit::ids::TenantId;

/// What a transaction may see; row-level security compares it with every row of a tenant table.
///
/// There is no scope that sees everything: the platform sees rows without a tenant, workers the tables whose policies name
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Rows of one tenant, and GLOBAL rows to read.
    Tenant(TenantId),
    /// Rows of the platform: SUPER_ADMINs, GLOBAL songs, genres.
    Platform,
    /// Background work: outbox, mail, jobs, projections.
    Worker,
}

impl Scope {
    /// The scope of who calls.
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

    /// BEGIN and the settings in one trip. Sent only through the transaction manager: a cancelled raw BEGIN would leave the
    /// tenant on the connection for its next borrower.
    ///
    /// A batch that fills an empty table must not keep the plan of the empty table, so writes let Postgres choose.
    pub(crate) fn begin_sql(self) -> String {
        format!("BEGIN; SET LOCAL plan_cache_mode = auto; {}", self.settings())
    }

    /// For a read whose queries have one good plan, whatever their parameters. Connections plan once unless told otherwise.
    pub fn one_plan(self) -> ReadScope {
        ReadScope { scope: self, plan_each_time: false }
    }

    /// For a read whose good plan depends on its parameters, such as a deep page or a search: it is made each time.
    pub fn plan_each_time(self) -> ReadScope {
        ReadScope { scope: self, plan_each_time: true }
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
}

impl From<Scope> for ReadScope {
    /// What is not known to have one good plan is planned each time.
    fn from(scope: Scope) -> Self {
        scope.plan_each_time()
    }
}

impl ReadScope {
    /// BEGIN with its settings in one text. `SET LOCAL` is neither parsed into a plan nor planned, which `SELECT set_config` is.
    /// One snapshot serves all queries, so that a page and its count agree.
    pub(crate) fn begin_sql(self) -> String {
        let settings = self.scope.settings();
        let plans = if self.plan_each_time { "; SET LOCAL plan_cache_mode = force_custom_plan" } else { "" };
        format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {settings}{plans}")
    }
}
