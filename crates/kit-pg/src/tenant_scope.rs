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
    pub(crate) fn begin_sql(self) -> String {
        format!("BEGIN; {}", self.settings())
    }

    /// For a read whose queries have one good plan, whatever their parameters: it is made once per connection.
    pub fn one_plan(self) -> ReadScope {
        ReadScope { scope: self, plans: "force_generic_plan" }
    }

    /// For a read whose good plan depends on its parameters, such as a deep page or a search: it is made each time.
    pub fn plan_each_time(self) -> ReadScope {
        ReadScope { scope: self, plans: "force_custom_plan" }
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
    plans: &'static str,
}

impl From<Scope> for ReadScope {
    /// Postgres decides about plans.
    fn from(scope: Scope) -> Self {
        Self { scope, plans: "auto" }
    }
}

impl ReadScope {
    /// BEGIN with its settings in one text. `SET LOCAL` is neither parsed into a plan nor planned, which `SELECT set_config` is.
    /// One snapshot serves all queries, so that a page and its count agree.
    pub(crate) fn begin_sql(self) -> String {
        let (settings, plans) = (self.scope.settings(), self.plans);
        let plans = if plans == "auto" { String::new() } else { format!("; SET LOCAL plan_cache_mode = {plans}") };
        format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {settings}{plans}")
    }
}
