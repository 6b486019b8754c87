//! Delivery of the messages in this service's outbox.

use kit::ids::TenantId;
use kit_pg::{Conn, Scope};
use outbox::Message;
use serde_json::Value;
use uuid::Uuid;

use crate::App;
use crate::domain::{challenges, deleted_users, limits, revocations};
use crate::mail;
use crate::store::users;

/// The topics that are sent as mail. They have a lane of their own, because a mail server may be slow.
pub(crate) const MAIL: &[&str] = &["mail.code", "mail.notice"];

/// Notices about the safety of an account.
const SECURITY: [&str; 4] = ["password_changed", "token_reused", "authenticator_added", "authenticator_removed"];

/// Delivers one message of the outbox.
pub(crate) async fn deliver(app: App, message: Message) -> anyhow::Result<()> {
    let text = |name: &str| message.payload.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match message.topic.as_str() {
        "mail.code" => match challenges::dispatch(&app, message.aggregate_id).await? {
            Some(dispatch) => app.mailer.send(mail::code(&dispatch)).await,
            None => Ok(()),
        },
        "mail.notice" => {
            let Some(to) = address_of(&app, &message).await? else { return Ok(()) };
            // What tells an owner about an attack is always sent. Only the first attempt is charged.
            let charged = !SECURITY.contains(&text("template").as_str()) && message.attempts <= 1;
            if charged && !limits::may_notify(&app, message.tenant_id, &to).await {
                app.metrics.event("notice_over_budget");
                return Ok(());
            }
            let mail = mail::notice(&text("template"), to, &message.payload, app.mailer.frontend_url());
            app.mailer.send(mail.ok_or_else(|| anyhow::anyhow!("unknown mail template"))?).await
        }
        "revocation" => {
            let subject = revocations::subject(&text("subject"), message.aggregate_id);
            let subject = subject.ok_or_else(|| anyhow::anyhow!("unknown subject of a revocation"))?;
            revocations::copy_to_redis(&app, subject, message.version).await
        }
        deleted_users::TOPIC => rpc::deliver("auth", &app.peers.keeper_of_content(), &message).await,
        "tenant.changed" => rpc::deliver("auth", &app.peers.followers(), &message).await,
        other => anyhow::bail!("nobody delivers {other}"),
    }
}

/// The address of a notice: from the message, or looked up by user id; `None` when the account does not exist any more.
async fn address_of(app: &App, message: &Message) -> anyhow::Result<Option<String>> {
    if let Some(email) = message.payload.get("email").and_then(Value::as_str) {
        return Ok(Some(email.to_owned()));
    }
    let (Some(user), Some(tenant)) = (
        message.payload.get("user_id").and_then(Value::as_str).and_then(|id| Uuid::try_parse(id).ok()),
        message.tenant_id,
    ) else {
        anyhow::bail!("a notice without an addressee");
    };
    let tenant = TenantId(tenant);
    let found = app
        .pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| users::find_many(conn, tenant, &[user]).await)
        .await?;
    // An address that was never verified gets codes and nothing else.
    Ok(found.into_iter().next().filter(|user| user.is_verified && user.is_active).map(|user| user.email))
}
