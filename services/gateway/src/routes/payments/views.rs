use proto::payments as pb;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::reply::{opt_time, time};

#[derive(Serialize, ToSchema)]
pub(crate) struct PaymentLinkView {
    pub payment_id: String,
    pub payment_link_id: String,
    pub payment_link_url: String,
    /// Rupees with two decimals.
    pub amount: String,
    /// Paise.
    pub amount_minor: i64,
    pub currency: String,
    pub status: &'static str,
    pub expires_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PaymentView {
    pub id: String,
    pub tenant_id: String,
    pub razorpay_payment_link_id: String,
    pub razorpay_order_id: String,
    pub payment_link_url: String,
    pub razorpay_payment_id: String,
    /// Rupees with two decimals.
    pub amount: String,
    /// Paise.
    pub amount_minor: i64,
    pub currency: String,
    pub status: &'static str,
    pub attempt_number: u32,
    pub error_message: String,
    pub expires_at: Option<String>,
    pub paid_at: Option<String>,
    pub verified_at: Option<String>,
    pub activated_at: Option<String>,
    pub created_at: String,
    pub updated_at: String,
    pub history: Vec<StatusChangeView>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct StatusChangeView {
    pub status: &'static str,
    pub cause: String,
    pub at: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SubscriptionView {
    pub tenant_id: String,
    pub is_premium: bool,
    pub activated_at: Option<String>,
    pub source: String,
    pub payment_id: Option<String>,
}

pub(super) fn status(status: pb::PaymentStatus) -> &'static str {
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

/// Paise as rupees with two decimals, computed without floating point.
pub(super) fn amount(minor: i64) -> String {
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

#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookView {
    pub status: &'static str,
}

#[cfg(test)]
mod tests {
    #[test]
    fn case_34_amounts_are_exact_paise() {
        assert_eq!([99_900, 1, 0, -5, 100].map(super::amount), ["999.00", "0.01", "0.00", "-0.05", "1.00"]);
    }
}
