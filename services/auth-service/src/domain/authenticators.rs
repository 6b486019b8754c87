//! Authenticator apps (RFC 6238) as the second step of a sign-in, and the recovery codes for the day on which one is lost.

use kit::caller::Caller;
use kit::{Code, Error, Result, Secret};
use kit_pg::{Conn, Scope, TxError};
use qrcode::QrCode;
use qrcode::render::svg;
use ring::rand::{SecureRandom, SystemRandom};
use totp_rs::{Algorithm, Builder, Totp};
use uuid::Uuid;

use super::sealing::Sealed;
use super::{audit, limits, managed, notices, reauthentication};
use crate::App;
use crate::mail::Template;
use crate::store::authenticators::{self, Authenticator, RecoveryCode};
use crate::store::challenges;
use crate::store::users::{self, User};

/// Recovery codes that a user is given.
const RECOVERY_CODES: usize = 10;
/// Letters and digits that are not taken for each other: 32, so that each is 5 bits.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Characters of a recovery code: 50 bits.
const RECOVERY_CHARS: usize = 10;
/// How long a secret waits for its first code; the fresh sign-in or the password of its start counts so long.
const UNCONFIRMED_MINUTES: i64 = 10;
/// The most characters of the organisation in the URI: a QR code holds about two kilobytes, and such a name takes nine bytes a
/// character twice.
const MAX_ISSUER_CHARS: usize = 40;
/// How many steps of 30 s a clock may be off.
const SKEW: u16 = 1;

/// What an app is set up with.
pub(crate) struct Started {
    /// In base32.
    pub secret: Secret,
    pub otpauth_uri: Secret,
    pub qr_svg: Secret,
}

/// What finishes a sign-in with an authenticator.
#[derive(Clone, Copy)]
pub(crate) enum Proof<'a> {
    Otp(&'a str),
    Recovery(&'a str),
}

fn bound_to(user: Uuid) -> String {
    format!("authenticator of {user}")
}

fn totp(secret: &[u8], issuer: &str, account: &str) -> Result<Totp> {
    // A colon separates the two in the URI.
    let plain = |text: &str| text.replace(':', " ").trim().to_owned();
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_skew(SKEW)
        .with_step_duration(30)
        .with_secret(secret.to_vec())
        .with_account_name(plain(account))
        .with_issuer(Some(plain(issuer)))
        .build()
        .map_err(|error| Error::internal(anyhow::anyhow!("no authenticator: {error}")))
}

/// Makes a secret for the caller. It counts once a code of it was confirmed; until then another may be made.
///
/// # Errors
/// `reauthentication_required`; `totp_enabled` when there is one that counts.
pub(crate) async fn start(app: &App, caller: &Caller, password: Option<&Secret>) -> Result<Started> {
    let (id, realm) = caller.user()?;
    let scope = Scope::of(caller)?;
    let (user, tenant_name) = app
        .pg
        .transaction(scope, async |conn: &mut Conn| {
            let user = users::find(conn, realm, id).await?;
            let tenant_name = users::tenant_name(conn, user.tenant_id).await?;
            Ok((user, tenant_name))
        })
        .await?;
    reauthentication::require(app, caller, &user, password).await?;
    let mut secret = [0_u8; 20];
    random(&mut secret)?;
    let issuer = tenant_name.map_or_else(|| "SongList".to_owned(), |name| format!("SongList {name}"));
    let issuer: String = issuer.chars().take(MAX_ISSUER_CHARS).collect();
    let totp = totp(&secret, &issuer, &user.email)?;
    let sealed = app.sealing.seal(&bound_to(user.id), &secret)?;
    let row = Authenticator {
        user_id: user.id,
        tenant_id: user.tenant_id,
        sealed: sealed.sealed,
        nonce: sealed.nonce,
        last_step: 0,
        confirmed_at: None,
        created_at: app.clock.now(),
    };
    app.pg
        .transaction(scope, async |conn: &mut Conn| {
            if managed::lock(conn, realm, id, None).await?.totp_enabled {
                return Err(Error::new(Code::TotpEnabled).into());
            }
            authenticators::replace_unconfirmed(conn, &row).await
        })
        .await?;
    let uri = totp.to_url().map_err(|error| Error::internal(anyhow::anyhow!("no URI: {error}")))?;
    let code = QrCode::new(uri.as_bytes()).map_err(Error::internal)?;
    Ok(Started {
        secret: Secret::new(totp_rs::Secret::from(secret.to_vec()).to_base32()),
        qr_svg: Secret::new(code.render::<svg::Color<'_>>().min_dimensions(240, 240).build()),
        otpauth_uri: Secret::new(uri),
    })
}

/// Confirms the caller's authenticator with a code; returns the recovery codes, which are shown this once.
///
/// # Errors
/// `otp_invalid`, also when none was started; `totp_enabled`; `rate_limited`.
pub(crate) async fn confirm(app: &App, caller: &Caller, otp: &str) -> Result<Vec<Secret>> {
    let (id, realm) = caller.user()?;
    limits::charge_own_code(app, id.0).await?;
    let codes = (0..RECOVERY_CODES).map(|_| recovery_code()).collect::<Result<Vec<Secret>>>()?;
    let now = app.clock.now();
    app.pg
        .transaction(Scope::of(caller)?, async |conn: &mut Conn| {
            let user = managed::lock(conn, realm, id, None).await?;
            if user.totp_enabled {
                return Err(Error::new(Code::TotpEnabled).into());
            }
            let started = authenticators::find(conn, user.id).await?.map(|row| row.created_at);
            let waits = started.is_some_and(|at| now - at < chrono::Duration::minutes(UNCONFIRMED_MINUTES));
            if !waits || !accept_otp(conn, app, user.id, otp).await? {
                return Err(Error::new(Code::OtpInvalid).into());
            }
            authenticators::confirm(conn, user.id, now).await?;
            // What was begun with a mailed code must not go around the app.
            challenges::void_others(conn, user.tenant_id, user.id, &user.email_norm, now).await?;
            users::set_totp(conn, user.id, true, now).await?;
            let rows = codes.iter().map(|code| row_of(app, &user, code)).collect::<Result<Vec<_>>>()?;
            authenticators::insert_recovery_codes(conn, &rows).await?;
            changed(conn, app, caller, &user, Template::AuthenticatorAdded).await
        })
        .await?;
    app.wake.wake();
    Ok(codes)
}

fn row_of(app: &App, user: &User, code: &Secret) -> Result<RecoveryCode> {
    let (key_id, mac) = app.code_keys.seal_text(&recovery_text(user.id, code.expose()))?;
    Ok(RecoveryCode {
        id: kit::ids::new_v7(),
        user_id: user.id,
        tenant_id: user.tenant_id,
        key_id,
        mac,
        used_at: None,
        created_at: app.clock.now(),
    })
}

/// The text under the MAC: spaces, dashes and case do not count.
fn recovery_text(user: Uuid, code: &str) -> String {
    let code: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("recovery|{user}|{}", code.to_uppercase())
}

/// Removes the caller's authenticator; sign-ins ask for a mailed code again.
///
/// # Errors
/// `reauthentication_required`.
pub(crate) async fn remove_own(app: &App, caller: &Caller, password: Option<&Secret>) -> Result<()> {
    let (id, realm) = caller.user()?;
    let scope = Scope::of(caller)?;
    let find = async |conn: &mut Conn| users::find(conn, realm, id).await;
    let user = app.pg.transaction(scope, find).await?;
    reauthentication::require(app, caller, &user, password).await?;
    remove(app, caller, scope, &user).await
}

/// Removes the lost authenticator of a user that the caller manages.
///
/// # Errors
/// As [`managed::live`].
pub(crate) async fn remove_managed(app: &App, caller: &Caller, id: &str) -> Result<()> {
    let (found, user) = managed::live(app, caller, id).await?;
    remove(app, caller, Scope::Tenant(found.tenant), &user).await
}

async fn remove(app: &App, caller: &Caller, scope: Scope, user: &User) -> Result<()> {
    let now = app.clock.now();
    app.pg
        .transaction(scope, async |conn: &mut Conn| {
            let user = managed::lock(conn, scope.tenant(), kit::ids::UserId(user.id), None).await?;
            if !authenticators::remove(conn, user.id).await? {
                return Ok(());
            }
            users::set_totp(conn, user.id, false, now).await?;
            changed(conn, app, caller, &user, Template::AuthenticatorRemoved).await
        })
        .await?;
    app.wake.wake();
    Ok(())
}

/// Audits a change and tells the user by mail.
async fn changed(conn: &mut Conn, app: &App, caller: &Caller, user: &User, what: Template) -> Result<(), TxError> {
    notices::notify(conn, caller, user, what).await?;
    audit::record(conn, app, caller, audit::Event::success(user.tenant_id, what.name(), user.id)).await
}

/// Accepts what finishes a sign-in, once.
pub(crate) async fn accept(conn: &mut Conn, app: &App, user: Uuid, proof: Proof<'_>) -> Result<bool, TxError> {
    match proof {
        Proof::Otp(otp) => accept_otp(conn, app, user, otp).await,
        Proof::Recovery(code) => {
            let text = recovery_text(user, code);
            let mut right = None;
            // Every code is compared, so that the time does not tell which one it was.
            for row in authenticators::unused_recovery_codes(conn, user).await? {
                if app.code_keys.is_of_text(&text, &row.key_id, &row.mac) {
                    right = Some(row.id);
                }
            }
            match right {
                Some(id) => authenticators::use_recovery_code(conn, id, app.clock.now()).await,
                None => Ok(false),
            }
        }
    }
}

async fn accept_otp(conn: &mut Conn, app: &App, user: Uuid, otp: &str) -> Result<bool, TxError> {
    let Some(row) = authenticators::find(conn, user).await? else { return Ok(false) };
    let (secret, _) = app.sealing.open(&bound_to(user), &Sealed { sealed: row.sealed, nonce: row.nonce })?;
    let seconds = u64::try_from(app.clock.now().timestamp()).unwrap_or_default();
    match totp(&secret, "", "")?.check(otp.trim(), seconds).and_then(|step| i64::try_from(step).ok()) {
        Some(step) => authenticators::use_step(conn, user, step).await,
        None => Ok(false),
    }
}

/// Seals every secret with the newest encryption key. How many were sealed again.
///
/// # Errors
/// When a secret does not open with any of the encryption keys.
pub(crate) async fn reseal(app: &App) -> Result<usize> {
    app.pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            let mut again = 0;
            for row in authenticators::all(conn).await? {
                let name = bound_to(row.user_id);
                let old = row.nonce.clone();
                let (secret, newest) = app.sealing.open(&name, &Sealed { sealed: row.sealed, nonce: row.nonce })?;
                if !newest {
                    let sealed = app.sealing.seal(&name, &secret)?;
                    authenticators::reseal(conn, row.user_id, &old, (&sealed.sealed, &sealed.nonce)).await?;
                    again += 1;
                }
            }
            Ok(again)
        })
        .await
}

fn random(bytes: &mut [u8]) -> Result<()> {
    SystemRandom::new().fill(bytes).map_err(|_failed| Error::internal(anyhow::anyhow!("no randomness")))
}

/// Two groups of five characters.
fn recovery_code() -> Result<Secret> {
    let mut bytes = [0_u8; RECOVERY_CHARS];
    random(&mut bytes)?;
    let chars: Vec<char> =
        bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte % 32)).map(|byte| char::from(*byte))).collect();
    let (first, second) = chars.split_at(RECOVERY_CHARS / 2);
    Ok(Secret::new(format!("{}-{}", first.iter().collect::<String>(), second.iter().collect::<String>())))
}
