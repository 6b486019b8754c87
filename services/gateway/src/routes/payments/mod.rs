//! Payment links, payments, premium, and the webhooks and callbacks of Razorpay.

mod callback_page;
mod views;

use kit::Code;
use kit::money::decimal;
use proto::payments as pb;

use crate::http::context::{HandlerResult, RequestContext};
use crate::http::page::{PageQuery, page_reply};
use crate::http::param::Param;
use crate::http::rate::Rate;
use crate::http::reply::{Reply, opt_time};
use crate::http::rule::{ADMIN, ADMINS, PLATFORM, Reach, Rule};

use callback_page::callback_page;
use views::{
    PaymentLinkView, PaymentView, PlatformPaymentView, PlatformSubscriptionView, SubscriptionView, WebhookView, status,
};

/// The largest event in bytes; Razorpay's have a few KiB.
const WEBHOOK_BODY: usize = 256 * 1024;

/// The filters of the payments of all tenants.
const ALL_PAYMENTS: &[Param] = &[
    Param::id("tenant_id", "Whose."),
    Param::one_of(
        "status",
        &["CREATED", "PENDING", "PAID", "VERIFIED", "ACTIVATED", "FAILED", "REFUNDED"],
        "The status.",
    )
    .many(),
    Param::flag("refund_due", "Payments whose money bought nothing and has to go back, or the others."),
];

/// The filters of the subscriptions of all tenants.
const ALL_SUBSCRIPTIONS: &[Param] = &[
    Param::id("tenant_id", "Whose."),
    Param::flag("is_premium", "Premium tenants, or those whose premium has ended."),
];

/// What Razorpay adds to the callback URL.
const RETURNED: &[Param] = &[
    Param::opaque("razorpay_payment_id", "The payment."),
    Param::opaque("razorpay_payment_link_id", "The payment link."),
    Param::opaque("razorpay_payment_link_reference_id", "Our reference of the link."),
    Param::opaque("razorpay_payment_link_status", "The state of the link."),
    Param::opaque("razorpay_signature", "The signature of the others."),
];

#[rustfmt::skip] // a table: one rule in two or three lines
pub(crate) const RULES: &[Rule] = &[
    Rule::post("/payments/create-payment-link/", &create_link).id("create_payment_link").within_secs(15).also_200()
        .roles(ADMIN).reach(Reach::Tenant).repeatable()
        .created::<PaymentLinkView>().codes(&[Code::AlreadyPremium, Code::PaymentGatewayUnavailable])
        .summary("A payment link for premium; the open one when there is one"),
    Rule::get("/payments/subscription/", &subscription).id("get_subscription")
        .roles(ADMINS).reach(Reach::PlatformOrTenant)
        .query(&[&[Param::id("tenant_id", "Which tenant; for a SUPER_ADMIN.")]]).data::<SubscriptionView>().summary("Whether a tenant is premium"),
    Rule::get("/payments/", &list).id("list_payments").roles(ADMIN).reach(Reach::Tenant)
        .list::<PaymentView>().summary("The tenant's payments with their history"),
    Rule::get("/payments/{id}/", &get).id("get_payment").roles(ADMIN).reach(Reach::Tenant)
        .data::<PaymentView>().summary("A payment with its history"),
    Rule::post("/payments/{id}/refund/", &refund).id("refund_payment").within_secs(15).roles(PLATFORM).reach(Reach::Platform).repeatable()
        .data::<PaymentView>().codes(&[Code::PaymentNotRefundable])
        .summary("Refund what is left of a payment; premium ends when Razorpay has processed it"),
    Rule::get("/payments/super-admin/payments/", &list_all).id("list_all_payments").roles(PLATFORM).reach(Reach::Platform)
        .query(&[ALL_PAYMENTS]).list::<PlatformPaymentView>().summary("The payments of all tenants"),
    Rule::get("/payments/super-admin/subscriptions/", &list_subscriptions).id("list_subscriptions")
        .roles(PLATFORM).reach(Reach::Platform)
        .query(&[ALL_SUBSCRIPTIONS]).list::<PlatformSubscriptionView>().summary("The tenants that are or were premium"),
    Rule::post("/payments/webhook/razorpay/", &webhook).id("receive_razorpay_webhook").public().rate(Rate::Webhook)
        .raw(WEBHOOK_BODY).bare::<WebhookView>().codes(&[Code::MissingSignature, Code::InvalidSignature])
        .summary("Razorpay reports an event"),
    Rule::get("/payments/callback/razorpay/", &callback).id("return_from_razorpay").public()
        .query(&[RETURNED]).other(&["text/html"])
        .summary("A browser comes back from the hosted page"),
];

pub(crate) async fn create_link(context: RequestContext) -> HandlerResult {
    let request = context.grpc_request(pb::CreateLinkRequest {});
    // The service calls Razorpay, which may be slow.
    let made = context.app.peers.payments().create_link(request).await?;
    let payment = made.get_ref().payment.clone().unwrap_or_default();
    let own = status(payment.status());
    let view = PaymentLinkView {
        payment_id: payment.id,
        payment_link_id: payment.razorpay_payment_link_id,
        payment_link_url: payment.payment_link_url,
        amount: decimal(payment.amount_minor),
        amount_minor: payment.amount_minor,
        currency: payment.currency,
        status: own,
        expires_at: opt_time(payment.expires_at),
    };
    let (code, text) =
        if made.get_ref().created { (201, "Payment link created.") } else { (200, "The open payment link.") };
    Ok(Reply::data(code, text, &view)?.replayed_by(&made))
}

pub(crate) async fn subscription(context: RequestContext) -> HandlerResult {
    let request = context.grpc_request(pb::GetSubscriptionRequest { tenant_id: context.query_value("tenant_id") });
    let found = context.app.peers.subscriptions().get(request).await?.into_inner();
    let view = SubscriptionView {
        tenant_id: found.tenant_id,
        is_premium: found.is_premium,
        activated_at: opt_time(found.activated_at),
        source: found.source,
        payment_id: found.payment_id,
    };
    Reply::data(200, "Subscription.", &view)
}

pub(crate) async fn get(context: RequestContext) -> HandlerResult {
    let request = context.grpc_request(pb::GetPaymentRequest { id: context.path("id") });
    let payment = context.app.peers.payments().get(request).await?.into_inner();
    Reply::data(200, "Payment.", &PaymentView::from(payment))
}

pub(crate) async fn list(context: RequestContext) -> HandlerResult {
    let query = PageQuery::of(&context)?;
    let found = context
        .app
        .peers
        .payments()
        .list(context.grpc_request(pb::ListPaymentsRequest { page: query.message() }))
        .await?
        .into_inner();
    page_reply(&context, &query, found.page, found.payments.into_iter().map(PaymentView::from).collect())
}

pub(crate) async fn refund(context: RequestContext) -> HandlerResult {
    let request = context.grpc_request(pb::RefundPaymentRequest { id: context.path("id") });
    // The service calls Razorpay, which may be slow.
    let refunded = context.app.peers.payments().refund(request).await?;
    let view = PaymentView::from(refunded.get_ref().payment.clone().unwrap_or_default());
    Ok(Reply::data(200, "The refund was asked for.", &view)?.replayed_by(&refunded))
}

pub(crate) async fn list_all(context: RequestContext) -> HandlerResult {
    let query = PageQuery::of(&context)?;
    let request = context.grpc_request(pb::ListAllPaymentsRequest {
        page: query.message(),
        tenant_id: context.query_value("tenant_id"),
        status: context.query_values("status"),
        refund_due: context.query_flag("refund_due")?,
    });
    let found = context.app.peers.payments().list_all(request).await?.into_inner();
    page_reply(&context, &query, found.page, found.payments.into_iter().map(PlatformPaymentView::from).collect())
}

pub(crate) async fn list_subscriptions(context: RequestContext) -> HandlerResult {
    let query = PageQuery::of(&context)?;
    let request = context.grpc_request(pb::ListSubscriptionsRequest {
        page: query.message(),
        tenant_id: context.query_value("tenant_id"),
        is_premium: context.query_flag("is_premium")?,
    });
    let found = context.app.peers.subscriptions().list(request).await?.into_inner();
    let rows = found.subscriptions.into_iter().map(PlatformSubscriptionView::from).collect();
    page_reply(&context, &query, found.page, rows)
}

pub(crate) async fn webhook(context: RequestContext) -> HandlerResult {
    let request = context.grpc_request(pb::ReceiveWebhookRequest {
        body: context.body.to_vec(),
        // A request with more than one signature counts as unsigned.
        signature: context
            .header("x-razorpay-signature")
            .filter(|_| context.headers().get_all("x-razorpay-signature").count() == 1)
            .map(str::to_owned),
        event_id: context.header("x-razorpay-event-id").map(str::to_owned),
    });
    context.app.peers.webhooks().receive(request).await?;
    Reply::json(200, &WebhookView { status: "success" })
}

pub(crate) async fn callback(context: RequestContext) -> HandlerResult {
    let value = |name: &str| {
        // Razorpay sends each parameter once, so a repeated one is ignored.
        let values = context.query_values(name);
        if values.len() == 1 { values.into_iter().next().unwrap_or_default() } else { String::new() }
    };
    let request = context.grpc_request(pb::CallbackRequest {
        payment_id: value("razorpay_payment_id"),
        payment_link_id: value("razorpay_payment_link_id"),
        reference_id: value("razorpay_payment_link_reference_id"),
        status: value("razorpay_payment_link_status"),
        signature: value("razorpay_signature"),
    });
    let found = context.app.peers.payments().callback(request).await?.into_inner();
    callback_page(found)
}
