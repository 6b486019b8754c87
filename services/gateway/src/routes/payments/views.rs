use proto::payments as pb;
use serde::Serialize;
use utoipa::ToSchema;

use kit::money::decimal;

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
    /// Paise that bought nothing and have to go back.
    pub refund_due_minor: i64,
    /// Paise that have gone back.
    pub refunded_minor: i64,
    pub refunded_at: Option<String>,
    pub history: Vec<StatusChangeView>,
}

/// A payment of any tenant.
#[derive(Serialize, ToSchema)]
pub(crate) struct PlatformPaymentView {
    pub tenant_name: String,
    pub tenant_is_active: bool,
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
    /// Paise that bought nothing and have to go back.
    pub refund_due_minor: i64,
    /// Paise that have gone back.
    pub refunded_minor: i64,
    pub paid_at: Option<String>,
    pub verified_at: Option<String>,
    pub activated_at: Option<String>,
    pub refunded_at: Option<String>,
    pub created_at: String,
    pub updated_at: String,
}

impl From<pb::PlatformPayment> for PlatformPaymentView {
    fn from(row: pb::PlatformPayment) -> Self {
        let own = PaymentView::from(row.payment.unwrap_or_default());
        Self {
            tenant_name: row.tenant_name,
            tenant_is_active: row.tenant_is_active,
            id: own.id,
            tenant_id: own.tenant_id,
            razorpay_payment_link_id: own.razorpay_payment_link_id,
            razorpay_order_id: own.razorpay_order_id,
            payment_link_url: own.payment_link_url,
            razorpay_payment_id: own.razorpay_payment_id,
            amount: own.amount,
            amount_minor: own.amount_minor,
            currency: own.currency,
            status: own.status,
            attempt_number: own.attempt_number,
            error_message: own.error_message,
            refund_due_minor: own.refund_due_minor,
            refunded_minor: own.refunded_minor,
            paid_at: own.paid_at,
            verified_at: own.verified_at,
            activated_at: own.activated_at,
            refunded_at: own.refunded_at,
            created_at: own.created_at,
            updated_at: own.updated_at,
        }
    }
}

/// A subscription of any tenant.
#[derive(Serialize, ToSchema)]
pub(crate) struct PlatformSubscriptionView {
    /// That of the tenant: it has one subscription.
    pub id: String,
    pub tenant_id: String,
    pub tenant_name: String,
    pub tenant_is_active: bool,
    pub is_premium: bool,
    pub activated_at: Option<String>,
    pub source: String,
    pub payment_transaction_id: Option<String>,
    pub created_at: String,
    pub updated_at: String,
}

impl From<pb::PlatformSubscription> for PlatformSubscriptionView {
    fn from(row: pb::PlatformSubscription) -> Self {
        let own = row.subscription.unwrap_or_default();
        Self {
            id: own.tenant_id.clone(),
            tenant_id: own.tenant_id,
            tenant_name: row.tenant_name,
            tenant_is_active: row.tenant_is_active,
            is_premium: own.is_premium,
            activated_at: opt_time(own.activated_at),
            source: own.source,
            payment_transaction_id: own.payment_id,
            created_at: time(row.created_at),
            updated_at: time(row.updated_at),
        }
    }
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
            amount: decimal(payment.amount_minor),
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
            refund_due_minor: payment.refund_due_minor,
            refunded_minor: payment.refunded_minor,
            refunded_at: opt_time(payment.refunded_at),
            history: payment.history.into_iter().map(change).collect(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookView {
    pub status: &'static str,
}
