use proto::payments as pb;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::context::{Answered, Cx};
use crate::http::page::{Wanted, list as page};
use crate::http::reply::{Reply, opt_time, time};

#[derive(Serialize, ToSchema)]
pub(crate) struct PaymentLinkView {
    payment_id: String,
    payment_link_id: String,
    payment_link_url: String,
    /// Rupees with two decimals.
    amount: String,
    /// Paise.
    amount_minor: i64,
    currency: String,
    status: &'static str,
    expires_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PaymentView {
    id: String,
    tenant_id: String,
    razorpay_payment_link_id: String,
    razorpay_order_id: String,
    payment_link_url: String,
    razorpay_payment_id: String,
    /// Rupees with two decimals.
    amount: String,
    /// Paise.
    amount_minor: i64,
    currency: String,
    status: &'static str,
    attempt_number: u32,
    error_message: String,
    expires_at: Option<String>,
    paid_at: Option<String>,
    verified_at: Option<String>,
    activated_at: Option<String>,
    created_at: String,
    updated_at: String,
    history: Vec<StatusChangeView>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct StatusChangeView {
    status: &'static str,
    cause: String,
    at: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SubscriptionView {
    tenant_id: String,
    is_premium: bool,
    activated_at: Option<String>,
    source: String,
    payment_id: Option<String>,
}

fn status(status: pb::PaymentStatus) -> &'static str {
    match status {
        pb::PaymentStatus::Created | pb::PaymentStatus::Unspecified => "CREATED",
        pb::PaymentStatus::Pending => "PENDING",
        pb::PaymentStatus::Paid => "PAID",
        pb::PaymentStatus::Verified => "VERIFIED",
        pb::PaymentStatus::Activated => "ACTIVATED",
        pb::PaymentStatus::Failed => "FAILED",
        pb::PaymentStatus::Refunded => "REFUNDED",
    }
}

/// Paise as rupees with two decimals; never through a float.
fn amount(minor: i64) -> String {
    let (sign, minor) = (if minor < 0 { "-" } else { "" }, minor.unsigned_abs());
    format!("{sign}{}.{:02}", minor / 100, minor % 100)
}

impl From<pb::Payment> for PaymentView {
    fn from(payment: pb::Payment) -> Self {
        let own = status(payment.status());
        let change = |change: pb::StatusChange| StatusChangeView {
            status: status(change.status()),
            at: time(change.at),
            cause: change.cause,
        };
        Self {
            id: payment.id,
            tenant_id: payment.tenant_id,
            razorpay_payment_link_id: payment.razorpay_payment_link_id,
            razorpay_order_id: payment.razorpay_order_id,
            payment_link_url: payment.payment_link_url,
            razorpay_payment_id: payment.razorpay_payment_id,
            amount: amount(payment.amount_minor),
            amount_minor: payment.amount_minor,
            currency: payment.currency,
            status: own,
            attempt_number: payment.attempt_number,
            error_message: payment.error_message,
            expires_at: opt_time(payment.expires_at),
            paid_at: opt_time(payment.paid_at),
            verified_at: opt_time(payment.verified_at),
            activated_at: opt_time(payment.activated_at),
            created_at: time(payment.created_at),
            updated_at: time(payment.updated_at),
            history: payment.history.into_iter().map(change).collect(),
        }
    }
}

pub(crate) async fn create_link(cx: Cx) -> Answered {
    let mut request = cx.ask(pb::CreateLinkRequest {});
    // Razorpay is on the way, and may be slow.
    request.set_timeout(std::time::Duration::from_secs(15));
    let made = cx.app.peers.payments().create_link(request).await?;
    let payment = made.get_ref().payment.clone().unwrap_or_default();
    let own = status(payment.status());
    let view = PaymentLinkView {
        payment_id: payment.id,
        payment_link_id: payment.razorpay_payment_link_id,
        payment_link_url: payment.payment_link_url,
        amount: amount(payment.amount_minor),
        amount_minor: payment.amount_minor,
        currency: payment.currency,
        status: own,
        expires_at: opt_time(payment.expires_at),
    };
    let (code, text) =
        if made.get_ref().created { (201, "Payment link created.") } else { (200, "The open payment link.") };
    Ok(Reply::data(code, text, &view)?.replayed_by(&made))
}

pub(crate) async fn subscription(cx: Cx) -> Answered {
    let request = cx.ask(pb::GetSubscriptionRequest { tenant_id: cx.one("tenant_id") });
    let found = cx.app.peers.subscriptions().get(request).await?.into_inner();
    let view = SubscriptionView {
        tenant_id: found.tenant_id,
        is_premium: found.is_premium,
        activated_at: opt_time(found.activated_at),
        source: found.source,
        payment_id: found.payment_id,
    };
    Reply::data(200, "Subscription.", &view)
}

pub(crate) async fn get(cx: Cx) -> Answered {
    let request = cx.ask(pb::GetPaymentRequest { id: cx.path("id") });
    let payment = cx.app.peers.payments().get(request).await?.into_inner();
    Reply::data(200, "Payment.", &PaymentView::from(payment))
}

pub(crate) async fn list(cx: Cx) -> Answered {
    let wanted = Wanted::of(&cx)?;
    let found =
        cx.app.peers.payments().list(cx.ask(pb::ListPaymentsRequest { page: wanted.message() })).await?.into_inner();
    page(&cx, &wanted, found.page, found.payments.into_iter().map(PaymentView::from).collect())
}

#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookView {
    status: &'static str,
}

pub(crate) async fn webhook(cx: Cx) -> Answered {
    let request = cx.ask(pb::ReceiveWebhookRequest {
        body: cx.body.to_vec(),
        signature: cx.header("x-razorpay-signature").map(str::to_owned),
        event_id: cx.header("x-razorpay-event-id").map(str::to_owned),
    });
    cx.app.peers.webhooks().receive(request).await?;
    Reply::json(200, &WebhookView { status: "success" })
}

pub(crate) async fn callback(cx: Cx) -> Answered {
    let value = |name: &str| {
        // A repeated parameter is no parameter of Razorpay's.
        let values = cx.all(name);
        if values.len() == 1 { values.into_iter().next().unwrap_or_default() } else { String::new() }
    };
    let request = cx.ask(pb::CallbackRequest {
        payment_id: value("razorpay_payment_id"),
        payment_link_id: value("razorpay_payment_link_id"),
        reference_id: value("razorpay_payment_link_reference_id"),
        status: value("razorpay_payment_link_status"),
        signature: value("razorpay_signature"),
    });
    let outcome = cx.app.peers.payments().callback(request).await?.into_inner().outcome;
    let text = match outcome.as_str() {
        "active" => "Premium is active. You can close this page.",
        "confirming" => "Thank you. We are confirming your payment; you can close this page.",
        _ => "Thank you. You can close this page.",
    };
    let html =
        format!("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>SongList</title><p>{text}</p></html>");
    Ok(Reply::other("text/html; charset=utf-8", html.into_bytes()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn case_34_amounts_are_exact_paise() {
        assert_eq!([99_900, 1, 0, -5, 100].map(super::amount), ["999.00", "0.01", "0.00", "-0.05", "1.00"]);
    }
}
