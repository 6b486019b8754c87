use kit::grpc::open;
use proto::payments::subscriptions_server::{Subscriptions, SubscriptionsServer};
use proto::payments::{GetSubscriptionRequest, Subscription};
use proto::time::opt_to_proto;
use proto::tonic::{Request, Response, Status};

use crate::App;
use crate::domain::subscriptions;

struct Grpc(App);

pub(super) fn service(app: &App) -> SubscriptionsServer<impl Subscriptions> {
    SubscriptionsServer::new(Grpc(app.clone()))
}

#[tonic::async_trait]
impl Subscriptions for Grpc {
    async fn get(&self, request: Request<GetSubscriptionRequest>) -> Result<Response<Subscription>, Status> {
        let (caller, asked) = open(request)?;
        let (tenant, found) = subscriptions::get(&self.0, &caller, asked.tenant_id.as_deref()).await?;
        let message = match found {
            None => Subscription { tenant_id: tenant.to_string(), ..Subscription::default() },
            Some(row) => Subscription {
                tenant_id: tenant.to_string(),
                is_premium: row.is_premium,
                activated_at: opt_to_proto(row.activated_at),
                source: row.source,
                payment_id: row.payment_id.map(|id| id.to_string()),
                version: row.version,
            },
        };
        Ok(Response::new(message))
    }
}
