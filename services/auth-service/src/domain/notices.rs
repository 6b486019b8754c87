//! Mails that tell a user what happened to the account.

use kit::caller::Caller;
use kit_pg::{Conn, TxError};
use serde_json::json;
use uuid::Uuid;

use crate::mail::Template;
use crate::store::users::User;

/// Writes the outbox message that mails a notice to a user.
pub(crate) async fn notify(conn: &mut Conn, caller: &Caller, user: &User, template: Template) -> Result<(), TxError> {
    let payload = json!({
        "template": template.name(),
        "email": user.email,
        "username": user.username,
        "name": user.display_name(),
    });
    emit(conn, caller, user.tenant_id, user.id, payload).await
}

/// The same for an address of which nothing else may be told.
pub(crate) async fn notify_address(
    conn: &mut Conn,
    caller: &Caller,
    tenant: Uuid,
    email: &str,
    template: Template,
) -> Result<(), TxError> {
    emit(conn, caller, Some(tenant), tenant, json!({ "template": template.name(), "email": email })).await
}

async fn emit(
    conn: &mut Conn,
    caller: &Caller,
    tenant: Option<Uuid>,
    about: Uuid,
    payload: serde_json::Value,
) -> Result<(), TxError> {
    let message = outbox::NewMessage {
        topic: "mail.notice",
        tenant_id: tenant,
        aggregate_id: about,
        version: 1,
        payload,
        request_id: caller.request_id.clone(),
    };
    outbox::emit(conn, message).await
}
