use kit::grpc::{answer, open};
use proto::common::PageInfo;
use proto::payments::payments_server::{Payments, PaymentsServer};
use proto::payments::{
    CallbackRequest, CallbackResponse, CreateLinkRequest, CreateLinkResponse, GetPaymentRequest,
    ListAllPaymentsRequest, ListAllPaymentsResponse, ListPaymentsRequest, ListPaymentsResponse, Payment, PaymentStatus,
    PlatformPayment, RefundPaymentRequest, RefundPaymentResponse, StatusChange,
};
use proto::time::{opt_to_proto, to_proto};
use proto::tonic::{Request, Response, Status};

use crate::App;
use crate::domain::callbacks;
use crate::domain::payment_links::{self, Offered};
use crate::domain::payments::{self, RawFilters};
use crate::domain::refunds;
use crate::domain::status::Status as State;
use crate::razorpay::CallbackFields;
use crate::store::payments::{Change, Payment as Row, Whose};

struct Grpc(App);

pub(super) fn service(app: &App) -> PaymentsServer<impl Payments> {
    PaymentsServer::new(Grpc(app.clone()))
}

fn status(name: &str) -> i32 {
    let status = match State::of_name(name) {
        Some(State::Created) => PaymentStatus::Created,
        Some(State::Pending) => PaymentStatus::Pending,
        Some(State::Paid) => PaymentStatus::Paid,
        Some(State::Verified) => PaymentStatus::Verified,
        Some(State::Activated) => PaymentStatus::Activated,
        Some(State::Failed) => PaymentStatus::Failed,
        Some(State::Refunded) => PaymentStatus::Refunded,
        None => PaymentStatus::Unspecified,
    };
    status.into()
}

fn message((row, history): (Row, Vec<Change>)) -> Payment {
    let change = |change: Change| StatusChange {
        status: status(&change.status),
        cause: change.cause,
        at: to_proto(change.created_at),
    };
    Payment {
        id: row.id.to_string(),
        tenant_id: row.tenant_id.to_string(),
        razorpay_payment_link_id: row.razorpay_payment_link_id.unwrap_or_default(),
        razorpay_order_id: row.razorpay_order_id.unwrap_or_default(),
        payment_link_url: row.payment_link_url.unwrap_or_default(),
        razorpay_payment_id: row.razorpay_payment_id.unwrap_or_default(),
        amount_minor: row.amount_minor,
        currency: row.currency,
        status: status(&row.status),
        attempt_number: u32::try_from(row.attempt_number).unwrap_or(0),
        error_message: row.error_message,
        expires_at: opt_to_proto(row.expires_at),
        paid_at: opt_to_proto(row.paid_at),
        verified_at: opt_to_proto(row.verified_at),
        activated_at: opt_to_proto(row.activated_at),
        created_at: to_proto(row.created_at),
        updated_at: to_proto(row.updated_at),
        history: history.into_iter().map(change).collect(),
        refund_due_minor: row.refund_due_minor,
        refunded_minor: row.refunded_minor,
        refunded_at: opt_to_proto(row.refunded_at),
    }
}

#[tonic::async_trait]
impl Payments for Grpc {
    async fn create_link(&self, request: Request<CreateLinkRequest>) -> Result<Response<CreateLinkResponse>, Status> {
        let (caller, _) = open(request)?;
        let offered = payment_links::offer(&self.0, &caller).await?;
        let Offered { payment, created } = offered.value;
        let reply = CreateLinkResponse { payment: Some(message((payment, Vec::new()))), created };
        Ok(answer(reply, offered.replayed))
    }

    async fn get(&self, request: Request<GetPaymentRequest>) -> Result<Response<Payment>, Status> {
        let (caller, asked) = open(request)?;
        Ok(Response::new(message(payments::get(&self.0, &caller, &asked.id).await?)))
    }

    async fn list(&self, request: Request<ListPaymentsRequest>) -> Result<Response<ListPaymentsResponse>, Status> {
        let (caller, asked) = open(request)?;
        let found = payments::list(&self.0, &caller, &rpc::page(asked.page)).await?;
        Ok(Response::new(ListPaymentsResponse {
            payments: found.rows.into_iter().map(message).collect(),
            page: Some(PageInfo::new(found.count, found.next_cursor)),
        }))
    }

    async fn list_all(
        &self,
        request: Request<ListAllPaymentsRequest>,
    ) -> Result<Response<ListAllPaymentsResponse>, Status> {
        let (caller, asked) = open(request)?;
        let filters = RawFilters { tenant: asked.tenant_id, statuses: asked.status, refund_due: asked.refund_due };
        let found = payments::list_all(&self.0, &caller, filters, &rpc::page(asked.page)).await?;
        let row = |(row, whose): (Row, Whose)| {
            let (tenant_name, tenant_is_active) = whose.unwrap_or_default();
            PlatformPayment { payment: Some(message((row, Vec::new()))), tenant_name, tenant_is_active }
        };
        Ok(Response::new(ListAllPaymentsResponse {
            payments: found.rows.into_iter().map(row).collect(),
            page: Some(PageInfo::new(found.count, found.next_cursor)),
        }))
    }

    async fn refund(&self, request: Request<RefundPaymentRequest>) -> Result<Response<RefundPaymentResponse>, Status> {
        let (caller, asked) = open(request)?;
        let (refunded, replayed) = refunds::refund(&self.0, &caller, &asked.id).await?;
        Ok(answer(RefundPaymentResponse { payment: Some(message(refunded)) }, replayed))
    }

    async fn callback(&self, request: Request<CallbackRequest>) -> Result<Response<CallbackResponse>, Status> {
        let (_, asked) = open(request)?;
        let fields = CallbackFields {
            payment_id: asked.payment_id,
            payment_link_id: asked.payment_link_id,
            reference_id: asked.reference_id,
            status: asked.status,
            signature: asked.signature,
        };
        let page = callbacks::take(&self.0, &fields).await?;
        Ok(Response::new(CallbackResponse {
            outcome: page.outcome.name().to_owned(),
            organisation: page.organisation,
            amount_minor: page.amount_minor,
            currency: page.currency,
            reference_id: page.reference_id,
        }))
    }
}
