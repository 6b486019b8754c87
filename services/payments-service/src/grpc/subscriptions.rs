use kit::grpc::open;
use proto::common::PageInfo;
use proto::payments::subscriptions_server::{Subscriptions, SubscriptionsServer};
use proto::payments::{
    GetSubscriptionRequest, ListSubscriptionsRequest, ListSubscriptionsResponse, PlatformSubscription, Subscription,
};
use proto::time::{opt_to_proto, to_proto};
use proto::tonic::{Request, Response, Status};

use crate::App;
use crate::domain::subscriptions;
use crate::store::payments::Whose;
use crate::store::subscriptions::Subscription as Row;

struct Grpc(App);

pub(super) fn service(app: &App) -> SubscriptionsServer<impl Subscriptions> {
    SubscriptionsServer::new(Grpc(app.clone()))
}

fn message(row: Row) -> Subscription {
    Subscription {
        tenant_id: row.tenant_id.to_string(),
        is_premium: row.is_premium,
        activated_at: opt_to_proto(row.activated_at),
        source: row.source,
        payment_id: row.payment_id.map(|id| id.to_string()),
        version: row.version,
    }
}

#[tonic::async_trait]
impl Subscriptions for Grpc {
    async fn get(&self, request: Request<GetSubscriptionRequest>) -> Result<Response<Subscription>, Status> {
        let (caller, asked) = open(request)?;
        let (tenant, found) = subscriptions::get(&self.0, &caller, asked.tenant_id.as_deref()).await?;
        Ok(Response::new(
            found.map_or_else(|| Subscription { tenant_id: tenant.to_string(), ..Subscription::default() }, message),
        ))
    }

    async fn list(
        &self,
        request: Request<ListSubscriptionsRequest>,
    ) -> Result<Response<ListSubscriptionsResponse>, Status> {
        let (caller, asked) = open(request)?;
        let (tenant, page) = (asked.tenant_id.as_deref(), rpc::page(asked.page));
        let found = subscriptions::list_all(&self.0, &caller, tenant, asked.is_premium, &page).await?;
        let row = |(row, whose): (Row, Whose)| {
            let (tenant_name, tenant_is_active) = whose.unwrap_or_default();
            let (created_at, updated_at) = (to_proto(row.created_at), to_proto(row.updated_at));
            PlatformSubscription {
                subscription: Some(message(row)),
                tenant_name,
                tenant_is_active,
                created_at,
                updated_at,
            }
        };
        Ok(Response::new(ListSubscriptionsResponse {
            subscriptions: found.rows.into_iter().map(row).collect(),
            page: Some(PageInfo::new(found.count, found.next_cursor)),
        }))
    }
}
