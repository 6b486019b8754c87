//! Delivery of the messages in this service's outbox.

use std::time::Duration;

use kit::ids::TenantId;
use kit_pg::{Conn, Scope};
use outbox::Message;
use serde_json::Value;
use uuid::Uuid;

use crate::App;
use crate::domain::challenges::{self, Dispatch};
use crate::domain::{deleted_users, limits, revocations};
use crate::mail::{Params, Template};
use crate::store::users;

/// The topics that are sent as mail. They have a lane of their own, because a mail server may be slow.
pub(crate) const MAIL: &[&str] = &["mail.code", "mail.notice"];

/// How long the mail server may take for one mail.
const SMTP_BUDGET: Duration = Duration::from_secs(15);

/// Delivers one message of the outbox.
pub(crate) async fn deliver(app: App, message: Message) -> anyhow::Result<()> {
    let text = |name: &str| message.payload.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match message.topic.as_str() {
        "mail.code" => code(&app, &message).await,
        "mail.notice" => notice(&app, &message).await,
        "revocation" => {
            let subject = revocations::subject(&text("subject"), message.aggregate_id);
            let subject = subject.ok_or_else(|| anyhow::anyhow!("unknown subject of a revocation"))?;
            revocations::copy_to_redis(&app, subject, message.version).await
        }
        deleted_users::TOPIC | "tenant.changed" => rpc::deliver("auth", &app.peers.followers(), &message).await,
        other => anyhow::bail!("nobody delivers {other}"),
    }
}

/// Makes and mails the code of a challenge.
async fn code(app: &App, message: &Message) -> anyhow::Result<()> {
    let organisation = organisation(app, message.tenant_id).await?;
    let Some(Dispatch { challenge, code, ttl, code_id }) = challenges::dispatch(app, message.aggregate_id).await?
    else {
        return Ok(());
    };
    // The first attempt of a mail that anybody may ask for is charged to the organisation.
    if challenge.purpose != "LOGIN" && message.attempts <= 1 && !limits::may_mail_code(app, message.tenant_id).await {
        app.metrics.event("code_over_budget");
        return Ok(());
    }
    let template = match challenge.purpose.as_str() {
        "LOGIN" => Template::LoginOtp,
        "RESET" => Template::PasswordResetOtp,
        _ => Template::EmailVerification,
    };
    let params = Params {
        organisation,
        username: challenge.username,
        code,
        minutes: ttl.as_secs().div_ceil(60),
        time: challenge.created_at.format("%-d %b %Y, %H:%M UTC").to_string(),
        place: challenge.place,
        ..Params::default()
    };
    let sending = app.mailer.send(template, challenge.email, params);
    // Shorter than what the relay allows, so that a server that hangs is noted too.
    let sent = match tokio::time::timeout(SMTP_BUDGET, sending).await {
        Ok(sent) => sent,
        Err(elapsed) => Err(elapsed.into()),
    };
    // A mail that is refused for good is tried for the life of its code and no longer.
    if sent.as_ref().is_err_and(|error| !is_final(error)) {
        challenges::not_mailed(app, challenge.id, code_id).await?;
    }
    sent
}

/// True when another attempt will not fare better: the address is wrong, or the server cannot take it.
fn is_final(error: &anyhow::Error) -> bool {
    let smtp = error.downcast_ref::<lettre::transport::smtp::Error>();
    smtp.is_none_or(|error| error.is_permanent() || error.is_client()) && !error.is::<tokio::time::error::Elapsed>()
}

/// Mails a notice, unless its addressee is gone or has had too many.
async fn notice(app: &App, message: &Message) -> anyhow::Result<()> {
    let text = |name: &str| message.payload.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let template = Template::of_name(&text("template")).ok_or_else(|| anyhow::anyhow!("unknown mail template"))?;
    let Some(to) = recipient(app, message).await? else { return Ok(()) };
    // What tells an owner about an attack or about money is always sent. Only the first attempt is charged.
    let charged = !template.is_always_sent() && message.attempts <= 1;
    if charged && !limits::may_notify(app, message.tenant_id, &to.email).await {
        app.metrics.event("notice_over_budget");
        return Ok(());
    }
    let params = Params {
        organisation: organisation(app, message.tenant_id).await?,
        username: to.username,
        name: to.name,
        title: text("title"),
        artist: text("artist"),
        amount: text("amount"),
        reference: text("reference"),
        ..Params::default()
    };
    app.mailer.send(template, to.email, params).await
}

/// The name of a tenant; empty for the platform.
async fn organisation(app: &App, tenant: Option<Uuid>) -> anyhow::Result<String> {
    let name = async |conn: &mut Conn| users::tenant_name(conn, tenant).await;
    Ok(app.pg.transaction(Scope::Worker, name).await?.unwrap_or_default())
}

/// Who gets a notice.
struct Recipient {
    email: String,
    username: String,
    name: String,
}

/// The recipient of a notice: from the message, or looked up by user id; `None` when the account does not exist any more.
async fn recipient(app: &App, message: &Message) -> anyhow::Result<Option<Recipient>> {
    let text = |name: &str| message.payload.get(name).and_then(Value::as_str).map(str::to_owned);
    if let Some(email) = text("email") {
        let (username, name) = (text("username").unwrap_or_default(), text("name").unwrap_or_default());
        return Ok(Some(Recipient { email, username, name }));
    }
    let (Some(user), Some(tenant)) = (text("user_id").and_then(|id| Uuid::try_parse(&id).ok()), message.tenant_id)
    else {
        anyhow::bail!("a notice without an addressee");
    };
    let tenant = TenantId(tenant);
    let found = app
        .pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| users::find_many(conn, tenant, &[user]).await)
        .await?;
    // An address that was never verified gets codes and nothing else.
    let user = found.into_iter().next().filter(|user| user.is_verified && user.is_active);
    Ok(user.map(|user| Recipient { name: user.display_name(), email: user.email, username: user.username }))
}
