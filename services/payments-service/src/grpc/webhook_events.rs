use kit::grpc::open;
use proto::payments::webhooks_server::{Webhooks, WebhooksServer};
use proto::payments::{ReceiveWebhookRequest, ReceiveWebhookResponse};
use proto::tonic::{Request, Response, Status};

use crate::App;
use crate::domain::webhook_events;

struct Grpc(App);

pub(super) fn service(app: &App) -> WebhooksServer<impl Webhooks> {
    WebhooksServer::new(Grpc(app.clone()))
}

#[tonic::async_trait]
impl Webhooks for Grpc {
    async fn receive(
        &self,
        request: Request<ReceiveWebhookRequest>,
    ) -> Result<Response<ReceiveWebhookResponse>, Status> {
        let (_, sent) = open(request)?;
        webhook_events::receive(&self.0, &sent.body, sent.signature.as_deref(), sent.event_id.as_deref()).await?;
        Ok(Response::new(ReceiveWebhookResponse {}))
    }
}
