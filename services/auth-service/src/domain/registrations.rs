//! Listeners register themselves. Existing accounts do not change until the mailed code was sent back, and the answer
//! does not depend on whether an account exists.

use kit::caller::Caller;
use kit::error::Faults;
use kit::ids::{TenantId, UserId};
use kit::{Code, Error, Secret};
use kit_pg::{Conn, Scope, TxError};
use uuid::Uuid;

use super::authenticators::Proof;
use super::challenges::{self, Addressee, Purpose};
use super::code_answers::{self, otp_invalid};
use super::code_states;
use super::identity::{RawPerson, compared, search_name};
use super::limits::{self, Account, Act};
use super::{audit, deleted_users, notices, passwords, tenants};
use crate::App;
use crate::mail::Template;
use crate::store::challenges::Challenge;
use crate::store::registrations::{self, Registration};
use crate::store::users::{self, Claimed, User};
use crate::store::{self};

/// A registration as it was received.
pub(crate) struct Input {
    pub tenant: String,
    pub person: RawPerson,
    pub password: Secret,
    pub confirm_password: Secret,
}

/// A registration, or another request for a code, that waits for the code.
pub(crate) struct Awaiting {
    pub email: String,
    /// Of nothing when there is nothing to verify: the answer does not tell.
    pub challenge: Uuid,
    /// Seconds.
    pub expires_in: u64,
    /// Seconds.
    pub resend_in: u64,
}

impl Awaiting {
    fn new(app: &App, email: String, challenge: Uuid) -> Self {
        let (expires_in, resend_in) = (app.lifetimes.proof_code.as_secs(), app.lifetimes.resend_after.as_secs());
        Self { email, challenge, expires_in, resend_in }
    }
}

/// Stores a registration and mails its code.
///
/// # Errors
/// Validation errors, and `username_taken`.
pub(crate) async fn register(app: &App, caller: &Caller, input: &Input) -> Result<Awaiting, Error> {
    app.hasher.require_room(app.tenant_names.get(&input.tenant))?;
    let found = tenants::resolve(app, &input.tenant).await?;
    let tenant = TenantId(found.id);
    let mut faults = Faults::default();
    let person = input.person.check(&found.name, &mut faults);
    faults.check("password", passwords::check_new(&input.password, &person));
    if input.password != input.confirm_password {
        faults.add("confirm_password", "The two passwords differ.");
    }
    faults.finish()?;
    limits::charge(app, caller, Act::Verification, Some(tenant), Account::Named(&compared(&person.email))).await?;
    let row = Registration {
        id: kit::ids::new_v7(),
        tenant_id: tenant.0,
        username_norm: compared(&person.username),
        username: person.username,
        email_norm: compared(&person.email),
        email: person.email,
        first_name: person.first_name,
        last_name: person.last_name,
        phone_no: person.phone_no,
        password_hash: app.hasher.hash(app.hasher.turn(Some(tenant))?, &input.password).await?,
        created_at: app.clock.now(),
    };
    let challenge = app
        .pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            // Names of accounts that nobody has proven do not count: the answer would reveal that name and address belong
            // together.
            if users::username_taken(conn, tenant, &row.username_norm).await? {
                return Err(username_taken().into());
            }
            let too_many = challenges::too_many(conn, app, Purpose::Verify, (Some(tenant.0), &row.email_norm)).await?;
            let to = addressee(conn, caller, tenant, &row).await?;
            match to.filter(|_| !too_many) {
                Some(to) => {
                    if to.registration.is_some() {
                        registrations::insert(conn, &row).await?;
                    }
                    challenges::open(conn, app, Purpose::Verify, &to, caller).await
                }
                None => {
                    let (purpose, named) = (Purpose::Verify, &row.email_norm);
                    challenges::open_for_nobody(conn, app, purpose, Some(tenant.0), named, caller).await
                }
            }
        })
        .await?;
    app.wake.wake();
    Ok(Awaiting::new(app, row.email, challenge))
}

/// Whom the code of a registration is mailed to, by what is known about its address; nobody may be. The owner of an account that
/// is verified gets a notice instead.
async fn addressee(
    conn: &mut Conn,
    caller: &Caller,
    tenant: TenantId,
    row: &Registration,
) -> Result<Option<Addressee>, TxError> {
    let Some(user) = users::find_by_email_also_deleted(conn, tenant, &row.email_norm).await? else {
        return Ok(Some(of_registration(row)));
    };
    Ok(match Standing::of(&user) {
        Standing::UnverifiedListener | Standing::SelfDeleted => {
            is_mailbox_of(&row.email, &user).then(|| of_registration(row))
        }
        // What an existing account is mailed goes to its own address, however this one was written.
        Standing::DeletedByAdmin | Standing::UnverifiedAdmin => {
            Some(Addressee { username: row.username.clone(), ..Addressee::of(&user) })
        }
        Standing::Known => {
            notices::notify_address(conn, caller, tenant.0, &user.email, Template::AccountExists).await?;
            None
        }
    })
}

/// Opens a challenge that verifies an address; beyond the address's budget of mails its id leads nowhere.
async fn open_unless_too_many(conn: &mut Conn, app: &App, caller: &Caller, to: &Addressee) -> Result<Uuid, TxError> {
    if challenges::too_many(conn, app, Purpose::Verify, (to.tenant, &to.email_norm)).await? {
        return challenges::open_for_nobody(conn, app, Purpose::Verify, to.tenant, &to.email_norm, caller).await;
    }
    challenges::open(conn, app, Purpose::Verify, to, caller).await
}

/// The state of an account, as it matters for a registration with its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    UnverifiedListener,
    UnverifiedAdmin,
    SelfDeleted,
    DeletedByAdmin,
    /// Verified, active or not.
    Known,
}

impl Standing {
    fn of(user: &User) -> Self {
        match (user.deleted_at, user.is_verified) {
            (Some(_), _) if user.deleted_by == Some(user.id) => Self::SelfDeleted,
            (Some(_), _) => Self::DeletedByAdmin,
            (None, true) => Self::Known,
            (None, false) if user.role == "LISTENER" => Self::UnverifiedListener,
            (None, false) => Self::UnverifiedAdmin,
        }
    }
}

/// True when an address is the mailbox of an account, and not only equal in the form that is compared: `straße.example` and
/// `strasse.example` are two domains.
fn is_mailbox_of(email: &str, user: &User) -> bool {
    email.eq_ignore_ascii_case(&user.email)
}

fn of_registration(row: &Registration) -> Addressee {
    Addressee {
        tenant: Some(row.tenant_id),
        user: None,
        registration: Some(row.id),
        email: row.email.clone(),
        email_norm: row.email_norm.clone(),
        username: row.username.clone(),
    }
}

/// What a request for a verification names: its challenge, or (as earlier clients do) the address.
pub(crate) enum Which<'a> {
    Challenge(&'a str),
    Address(&'a str),
}

impl<'a> Which<'a> {
    pub(crate) fn of(challenge: &'a str, email: &'a str) -> Self {
        if challenge.is_empty() { Self::Address(email) } else { Self::Challenge(challenge) }
    }
}

/// Verifies an address with its code.
///
/// # Errors
/// `otp_invalid`; `account_deleted_by_admin` for such an account, after the right code; `username_taken` when another
/// user has taken the name meanwhile.
pub(crate) async fn verify_email(
    app: &App,
    caller: &Caller,
    tenant: &str,
    which: Which<'_>,
    otp: &str,
) -> Result<(), Error> {
    let tenant = TenantId(tenants::resolve(app, tenant).await?.id);
    let scope = Scope::Tenant(tenant);
    limits::check_failures(app, caller).await?;
    let answered = match which {
        Which::Challenge(id) => {
            let id = Uuid::try_parse(id).map_err(|_malformed| otp_invalid())?;
            code_answers::answer(app, caller, scope, id, Purpose::Verify, Proof::Otp(otp)).await?
        }
        Which::Address(email) => {
            code_answers::answer_for_address(app, caller, scope, Purpose::Verify, &compared(email), otp).await?
        }
    };
    let outcome = app
        .pg
        .transaction(scope, async |conn: &mut Conn| {
            code_answers::consume(conn, app, &answered).await?;
            prove(conn, app, caller, tenant, &answered).await
        })
        .await?;
    app.wake.wake();
    match outcome {
        Proven::Account => Ok(()),
        Proven::DeletedByAdmin => Err(Error::new(Code::AccountDeletedByAdmin)),
    }
}

enum Proven {
    Account,
    DeletedByAdmin,
}

async fn prove(
    conn: &mut Conn,
    app: &App,
    caller: &Caller,
    tenant: TenantId,
    answered: &Challenge,
) -> Result<Proven, TxError> {
    let now = app.clock.now();
    let account = match users::find_by_email_also_deleted(conn, tenant, &answered.email_norm).await? {
        // An administrator may restore or change it at this moment.
        Some(found) => Some(users::find_for_update(conn, Some(tenant), UserId(found.id)).await?),
        None => None,
    };
    if account.as_ref().is_some_and(|user| !is_mailbox_of(&answered.email, user)) {
        return Err(otp_invalid().into());
    }
    let user = match (account.as_ref().map(|user| (Standing::of(user), user.id)), answered.registration_id) {
        (Some((Standing::DeletedByAdmin, _)), _) => return Ok(Proven::DeletedByAdmin),
        (Some((Standing::UnverifiedListener | Standing::UnverifiedAdmin, id)), None) => {
            users::set_verified(conn, id, now).await?;
            id
        }
        (None, Some(registration)) => {
            let user = new_listener(&registrations::find(conn, tenant, registration).await?, now);
            users::insert(conn, &user).await?;
            store::tenants::add_user_count(conn, tenant, 1).await?;
            user.id
        }
        (Some((Standing::UnverifiedListener, id)), Some(registration)) => {
            let row = registrations::find(conn, tenant, registration).await?;
            users::claim(conn, id, &claimed(row), now).await?;
            id
        }
        (Some((Standing::SelfDeleted, id)), Some(registration)) => {
            let row = registrations::find(conn, tenant, registration).await?;
            users::claim(conn, id, &claimed(row), now).await?;
            store::tenants::add_user_count(conn, tenant, 1).await?;
            let restored = users::find(conn, Some(tenant), UserId(id)).await?;
            let kind = deleted_users::Kind::Restore { data: false };
            deleted_users::operation(conn, caller, tenant, &restored, kind, UserId(id), now).await?;
            id
        }
        // The account was created, or its state has changed, after the code was sent.
        _ => return Err(otp_invalid().into()),
    };
    store::challenges::void_others(conn, Some(tenant.0), user, &answered.email_norm, now).await?;
    let event = audit::Event {
        tenant: Some(tenant.0),
        actor: Some(user),
        action: "email_verified",
        target: Some(user),
        result: "success",
    };
    audit::record(conn, app, caller, event).await?;
    let user = users::find(conn, Some(tenant), UserId(user)).await?;
    notices::notify(conn, caller, &user, Template::Welcome).await?;
    Ok(Proven::Account)
}

fn new_listener(row: &Registration, now: chrono::DateTime<chrono::Utc>) -> User {
    User {
        id: kit::ids::new_v7(),
        tenant_id: Some(row.tenant_id),
        role: "LISTENER".to_owned(),
        name_norm: search_name([&row.first_name, &row.last_name, &row.username]),
        username: row.username.clone(),
        username_norm: row.username_norm.clone(),
        email: row.email.clone(),
        email_norm: row.email_norm.clone(),
        first_name: row.first_name.clone(),
        last_name: row.last_name.clone(),
        phone_no: row.phone_no.clone(),
        password_hash: row.password_hash.clone(),
        is_verified: true,
        is_active: true,
        totp_enabled: false,
        token_version: 1,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
        deleted_by: None,
    }
}

fn claimed(row: Registration) -> Claimed {
    Claimed {
        name_norm: search_name([&row.first_name, &row.last_name, &row.username]),
        username: row.username,
        username_norm: row.username_norm,
        email: row.email,
        first_name: row.first_name,
        last_name: row.last_name,
        phone_no: row.phone_no,
        password_hash: row.password_hash,
    }
}

fn username_taken() -> Error {
    Error::new(Code::UsernameTaken)
}

/// Sends a verification code again. One that can no longer be answered is replaced by a new challenge. The answer is
/// the same when there is none.
pub(crate) async fn resend(app: &App, caller: &Caller, tenant: &str, which: Which<'_>) -> Result<Awaiting, Error> {
    let tenant = TenantId(tenants::resolve(app, tenant).await?.id);
    let (id, address) = match which {
        Which::Challenge(id) => (Some(Uuid::try_parse(id).unwrap_or_default()), None),
        Which::Address(email) => (None, Some(compared(email))),
    };
    // The address pays, however it is named; also that of a challenge of nobody.
    let named = match (&address, id) {
        (Some(address), _) => address.clone(),
        (None, id) => {
            let id = id.unwrap_or_default();
            let find = async |conn: &mut Conn| store::challenges::find(conn, id).await;
            let known = app.pg.transaction(Scope::Tenant(tenant), find).await?;
            known.map(|row| row.email_norm).filter(|email| !email.is_empty()).unwrap_or_else(|| id.to_string())
        }
    };
    limits::charge(app, caller, Act::Verification, Some(tenant), Account::Named(&named)).await?;
    let (challenge, resend_in) = app
        .pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            let to = match (id, &address) {
                (Some(id), _) => {
                    let known = store::challenges::find_for_update(conn, id).await?;
                    match known.filter(|challenge| challenge.purpose == Purpose::Verify.name()) {
                        Some(known) if code_states::may_send(&known.state, known.created_at, app.clock.now()) => {
                            let waits = challenges::resend(conn, app, &known, &caller.request_id).await?;
                            return Ok((known.id, waits));
                        }
                        Some(spent) => still_to_verify(conn, tenant, &spent).await?,
                        None => None,
                    }
                }
                (None, Some(email)) => of_address(conn, tenant, email).await?,
                (None, None) => None,
            };
            let opened = match to {
                Some(to) => open_unless_too_many(conn, app, caller, &to).await?,
                None => challenges::open_for_nobody(conn, app, Purpose::Verify, Some(tenant.0), &named, caller).await?,
            };
            Ok((opened, app.lifetimes.resend_after.as_secs()))
        })
        .await?;
    app.wake.wake();
    Ok(Awaiting { resend_in, ..Awaiting::new(app, String::new(), challenge) })
}

/// Whom a spent challenge was for, unless the address was verified meanwhile.
async fn still_to_verify(conn: &mut Conn, tenant: TenantId, spent: &Challenge) -> Result<Option<Addressee>, TxError> {
    // A challenge of nobody is answered by another one of nobody.
    if spent.email.is_empty() {
        return Ok(None);
    }
    let account = users::find_by_identifier(conn, Some(tenant), &spent.email_norm).await?;
    let verified = account.is_some_and(|user| user.is_verified);
    let to = Addressee {
        tenant: Some(tenant.0),
        user: spent.user_id,
        registration: spent.registration_id,
        email: spent.email.clone(),
        email_norm: spent.email_norm.clone(),
        username: spent.username.clone(),
    };
    Ok(Some(to).filter(|_| !verified))
}

/// Whom a code for this address is for.
async fn of_address(conn: &mut Conn, tenant: TenantId, email: &str) -> Result<Option<Addressee>, TxError> {
    let account = users::find_by_email_also_deleted(conn, tenant, email).await?;
    let registration = registrations::newest(conn, tenant, email).await?;
    Ok(match (account, registration) {
        (Some(user), _) if Standing::of(&user) == Standing::Known => None,
        (Some(user), _) if matches!(Standing::of(&user), Standing::UnverifiedAdmin | Standing::DeletedByAdmin) => {
            Some(Addressee::of(&user))
        }
        // The newest registration would replace the account, so its code is the one that is wanted.
        (_, Some(row)) => Some(of_registration(&row)),
        (Some(user), None) if user.deleted_at.is_none() => Some(Addressee::of(&user)),
        _ => None,
    })
}
