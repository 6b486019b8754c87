//! TENANT songs need premium; payments-service decides which tenants have it.

use kit::caller::Caller;
use kit::ids::TenantId;
use proto::common::DeliverRequest;
use proto::common::event_sink_client::EventSinkClient;
use testkit::caller::{admin, call};

use crate::service::Songlist;

fn event(tenant: TenantId, version: i64, is_premium: bool) -> DeliverRequest {
    DeliverRequest {
        message_id: kit::ids::random().to_string(),
        topic: "premium.changed".to_owned(),
        tenant_id: Some(tenant.to_string()),
        aggregate_id: tenant.to_string(),
        version,
        payload: format!("{{\"is_premium\":{is_premium}}}"),
    }
}

#[tokio::test]
async fn a_tenant_adds_songs_once_payments_service_says_that_it_is_premium() {
    let songlist = Songlist::start_with([]).await;
    let (genre, tenant) = (songlist.genre("Rock").await, TenantId::new());
    let (boss, payments) = (admin(tenant), Caller::system("payments"));
    // Payments-service cannot be asked, so it is not known whether the tenant is premium.
    let unknown = songlist.song(&boss, "One", "A", &genre).await.unwrap_err();
    assert_eq!(unknown.code(), tonic::Code::Unavailable, "{unknown}");
    let mut sink = EventSinkClient::new(songlist.called_by("payments"));
    sink.deliver(call(&payments, event(tenant, 1, true))).await.unwrap();
    songlist.song(&boss, "One", "A", &genre).await.unwrap();
    // An event with an older version changes nothing.
    sink.deliver(call(&payments, event(tenant, 0, false))).await.unwrap();
    songlist.song(&boss, "Two", "A", &genre).await.unwrap();
}

#[tokio::test]
async fn premium_is_heard_of_payments_service_only() {
    let songlist = Songlist::start_with([]).await;
    let mut sink = EventSinkClient::new(songlist.called_by("auth"));
    let refused = sink.deliver(call(&Caller::system("auth"), event(TenantId::new(), 1, true))).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::PermissionDenied);
}
