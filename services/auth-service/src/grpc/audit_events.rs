use kit::grpc::open;
use proto::auth::audit_events_server::{AuditEvents, AuditEventsServer};
use proto::auth::{AuditEvent, ListAuditEventsRequest, ListAuditEventsResponse};
use proto::common::PageInfo;
use proto::time::{from_proto, to_proto};
use proto::tonic::{Request, Response, Status};
use rpc::page;

use crate::App;
use crate::domain::audit_events::{self, Wanted};
use crate::store::audit_events::AuditEvent as Row;

struct Grpc(App);

pub(super) fn service(app: &App) -> AuditEventsServer<impl AuditEvents> {
    AuditEventsServer::new(Grpc(app.clone()))
}

fn message(row: Row) -> AuditEvent {
    AuditEvent {
        id: row.id.to_string(),
        created_at: to_proto(row.created_at),
        service: row.service,
        action: row.action,
        result: row.result,
        actor_id: row.actor_id.map(|id| id.to_string()),
        actor_role: row.actor_role,
        target_id: row.target_id.map(|id| id.to_string()),
        network: row.client_net,
        request_id: row.request_id,
    }
}

#[tonic::async_trait]
impl AuditEvents for Grpc {
    async fn list(
        &self,
        request: Request<ListAuditEventsRequest>,
    ) -> Result<Response<ListAuditEventsResponse>, Status> {
        let (caller, asked) = open(request)?;
        let wanted = Wanted {
            actors: asked.actor,
            actions: asked.action,
            since: from_proto(asked.since),
            until: from_proto(asked.until),
            rows: asked.rows,
        };
        let found = audit_events::list(&self.0, &caller, wanted, &page(asked.page)).await?;
        Ok(Response::new(ListAuditEventsResponse {
            events: found.rows.into_iter().map(message).collect(),
            page: Some(PageInfo::new(found.count, found.next_cursor)),
        }))
    }
}
