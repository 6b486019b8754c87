use kit::caller::{Actor, Caller};
use kit_pg::{Conn, TxError};
use uuid::Uuid;

use crate::App;
use crate::store::audit::{self, AuditEvent};

/// What happened, and to whom.
pub(crate) struct Event<'a> {
    pub tenant: Option<Uuid>,
    /// The user who did it, when the caller is not signed in yet.
    pub actor: Option<Uuid>,
    /// The event's name, from OWASP's logging vocabulary where it has one.
    pub action: &'a str,
    pub target: Option<Uuid>,
    pub result: &'a str,
}

/// Records an event in the transaction of the change that it is about.
pub(crate) async fn record(conn: &mut Conn, app: &App, caller: &Caller, event: Event<'_>) -> Result<(), TxError> {
    let (id, role) = match &caller.actor {
        Actor::User { id, role, .. } => (Some(id.0), Some(role.name())),
        Actor::Platform { id, .. } => (Some(id.0), Some("SUPER_ADMIN")),
        Actor::System { .. } => (None, Some("SYSTEM")),
        Actor::Anonymous => (event.actor, None),
    };
    let row = AuditEvent {
        id: kit::ids::new_v7(),
        tenant_id: event.tenant,
        actor_id: id,
        actor_role: role.map(str::to_owned),
        action: event.action.to_owned(),
        target_id: event.target,
        result: event.result.to_owned(),
        request_id: caller.request_id.clone(),
        client_net: caller.client_net.clone(),
        created_at: app.clock.now(),
    };
    audit::insert(conn, &row).await
}
