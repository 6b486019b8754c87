use kit::caller::Caller;
use kit::error::Faults;
use kit::ids::TenantId;
use kit::{Error, Secret};
use kit_pg::{Conn, Scope};
use uuid::Uuid;

use super::authenticators::Proof;
use super::challenges::{self, Addressee, Purpose};
use super::code_answers::{self, check_proof, otp_invalid};
use super::identity::{Person, check_identifier, compared};
use super::limits::{self, Account, Act};
use super::{password_changes, passwords, tenants};
use crate::App;
use crate::store::users::{self, User};

/// Opens a reset challenge for an existing account and mails its code. For an unknown account the challenge is one of
/// nobody, so that the answer is the same.
pub(crate) async fn start(app: &App, caller: &Caller, tenant: Option<&str>, identifier: &str) -> Result<Uuid, Error> {
    let realm = realm_of(app, tenant).await?;
    let mut faults = Faults::default();
    check_identifier(identifier, &mut faults);
    faults.finish()?;
    let identifier = compared(identifier);
    let scope = Scope::tenant_or_platform(realm);
    let find = async |conn: &mut Conn| users::find_by_identifier(conn, realm, &identifier).await;
    let known = app.pg.transaction(scope, find).await?;
    let account = known.as_ref().map_or(Account::Named(&identifier), |user| Account::Known(user.id));
    limits::charge(app, caller, Act::Reset, realm, account).await?;
    let challenge = app
        .pg
        .transaction(scope, async |conn: &mut Conn| {
            let to = known.as_ref().map(Addressee::of);
            let (purpose, tenant) = (Purpose::Reset, realm.map(|id| id.0));
            // It is asked for unknown accounts too, so that these take as long.
            let named = to.as_ref().map_or(identifier.as_str(), |to| to.email_norm.as_str());
            let too_many = challenges::too_many(conn, app, purpose, (tenant, named)).await?;
            match to.filter(|_| !too_many) {
                Some(to) => challenges::open(conn, app, purpose, &to, caller).await,
                None => challenges::open_for_nobody(conn, app, purpose, tenant, &identifier, caller).await,
            }
        })
        .await?;
    app.wake.wake();
    Ok(challenge)
}

/// Sets a new password after the code of a reset challenge was checked; `which` is the challenge, or (as earlier clients
/// send) the e-mail. Every session ends and a notice is mailed.
///
/// # Errors
/// `otp_invalid`; validation errors of the new password, only after the right code, which can then be used again.
pub(crate) async fn confirm(
    app: &App,
    caller: &Caller,
    tenant: Option<&str>,
    which: (&str, &str),
    otp: &str,
    new: (&Secret, &Secret),
) -> Result<(), Error> {
    let realm = realm_of(app, tenant).await?;
    let scope = Scope::tenant_or_platform(realm);
    let (challenge, email) = which;
    check_proof(if challenge.is_empty() { email } else { challenge }, otp)?;
    limits::check_failures(app, caller).await?;
    let answered = if challenge.is_empty() {
        code_answers::answer_for_address(app, caller, scope, Purpose::Reset, &compared(email), otp).await?
    } else {
        let id = Uuid::try_parse(challenge).map_err(|_malformed| otp_invalid())?;
        code_answers::answer(app, caller, scope, id, Purpose::Reset, Proof::Otp(otp)).await?
    };
    let user_id = kit::ids::UserId(answered.user_id.ok_or_else(otp_invalid)?);
    let (user, tenant_name) = app
        .pg
        .transaction(scope, async |conn: &mut Conn| {
            let user = users::find(conn, realm, user_id).await?;
            let tenant_name = users::tenant_name(conn, user.tenant_id).await?;
            Ok((user, tenant_name))
        })
        .await?;
    check(&user, tenant_name, new)?;
    let hash = app.hasher.hash(app.hasher.turn(realm)?, new.0).await?;
    app.pg
        .transaction(scope, async |conn: &mut Conn| {
            code_answers::consume(conn, app, &answered).await?;
            password_changes::set(conn, app, caller, &user, &hash, "password_reset").await
        })
        .await?;
    app.wake.wake();
    Ok(())
}

async fn realm_of(app: &App, tenant: Option<&str>) -> Result<Option<TenantId>, Error> {
    match tenant {
        Some(text) => Ok(Some(TenantId(tenants::resolve(app, text).await?.id))),
        None => Ok(None),
    }
}

fn check(user: &User, tenant_name: Option<String>, (password, confirmation): (&Secret, &Secret)) -> Result<(), Error> {
    let person = Person::of(user, tenant_name);
    let mut faults = Faults::default();
    faults.check("new_password", passwords::check_new(password, &person));
    if password != confirmation {
        faults.add("confirm_password", "The two passwords differ.");
    }
    faults.finish()
}
