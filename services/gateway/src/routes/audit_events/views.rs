use proto::auth as pb;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::reply::time;

/// An event of the audit log.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditEventView {
    pub id: String,
    pub created_at: String,
    /// The service that recorded it.
    pub service: String,
    pub action: String,
    /// `success`, or why it failed.
    pub result: String,
    /// Missing when nobody was signed in.
    pub actor_id: Option<String>,
    pub actor_role: Option<String>,
    /// The user or object that it was done to.
    pub target_id: Option<String>,
    /// Where it came from, roughly: a network of 256 addresses, or a /48.
    pub network: Option<String>,
    pub request_id: String,
}

impl From<pb::AuditEvent> for AuditEventView {
    fn from(event: pb::AuditEvent) -> Self {
        Self {
            id: event.id,
            created_at: time(event.created_at),
            service: event.service,
            action: event.action,
            result: event.result,
            actor_id: event.actor_id,
            actor_role: event.actor_role,
            target_id: event.target_id,
            network: event.network,
            request_id: event.request_id,
        }
    }
}
