use kit::grpc::open;
use outbox::Delivered;
use proto::common::event_sink_server::{EventSink, EventSinkServer};
use proto::common::{DeliverRequest, DeliverResponse};
use proto::tonic::{Request, Response, Status};

use crate::{App, delivery};

struct Grpc(App);

pub(super) fn service(app: &App) -> EventSinkServer<impl EventSink> {
    EventSinkServer::new(Grpc(app.clone()))
}

#[tonic::async_trait]
impl EventSink for Grpc {
    async fn deliver(&self, request: Request<DeliverRequest>) -> Result<Response<DeliverResponse>, Status> {
        let (caller, sent) = open(request)?;
        caller.service()?;
        let (tenant, aggregate) = (sent.tenant_id.as_deref(), &sent.aggregate_id);
        let message = Delivered::parse(&sent.message_id, sent.topic, tenant, aggregate, sent.version, &sent.payload)?;
        delivery::receive(&self.0, &message).await?;
        Ok(Response::new(DeliverResponse {}))
    }
}
