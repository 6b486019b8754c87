//! Changes of a profile, by its user or by an administrator.

use std::collections::HashMap;

use chrono::DateTime;
use kit::caller::Caller;
use kit::error::Faults;
use kit::text::clean;
use kit::{Error, Result};
use kit_pg::{Conn, Scope, TxError};

use super::identity::{compared, phone_no, search_name, username};
use super::users::Profile;
use super::{audit, managed, sessions};
use crate::App;
use crate::store::users::{self, Change, User};

/// A change as it was received; a field that is missing stays as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Input {
    /// Of the own profile only.
    pub username: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub phone_no: Option<String>,
    /// By an administrator only.
    pub is_active: Option<bool>,
    /// Fields that cannot be set, as texts.
    pub read_only: HashMap<String, String>,
    pub if_version: Option<i64>,
}

impl Input {
    fn check(&self) -> Result<Change> {
        let mut faults = Faults::default();
        let mut name =
            |field: &str, text: &Option<String>| text.as_ref().and_then(|text| faults.check(field, clean(text, 150)));
        let (first_name, last_name) = (name("first_name", &self.first_name), name("last_name", &self.last_name));
        let username = self.username.as_ref().and_then(|text| faults.check("username", username(text)));
        let phone_no = self.phone_no.as_ref().and_then(|text| faults.check("phone_no", phone_no(text)));
        faults.finish()?;
        Ok(Change {
            username_norm: username.as_deref().map(compared),
            username,
            first_name,
            last_name,
            phone_no,
            is_active: self.is_active,
            ..Change::default()
        })
    }
}

/// Refuses fields that cannot be set, unless they have the value that the profile has: a client may send back what it
/// was given.
fn check_read_only(user: &User, tenant_name: Option<&str>, sent: &HashMap<String, String>) -> Result<()> {
    let tenant_id = user.tenant_id.map(|id| id.to_string()).unwrap_or_default();
    for (name, text) in sent {
        let same = match name.as_str() {
            "id" => *text == user.id.to_string(),
            "username" => *text == user.username,
            "email" => *text == user.email,
            "role" => *text == user.role,
            "tenant_id" => *text == tenant_id,
            "tenant_name" => text == tenant_name.unwrap_or_default(),
            "is_verified" => *text == user.is_verified.to_string(),
            "is_active" => *text == user.is_active.to_string(),
            "totp_enabled" => *text == user.totp_enabled.to_string(),
            "date_joined" => DateTime::parse_from_rfc3339(text).is_ok_and(|at| at == user.created_at),
            _ => false,
        };
        if !same {
            return Err(Error::read_only(name));
        }
    }
    Ok(())
}

/// Changes the caller's own profile.
///
/// # Errors
/// `username_taken`, `read_only_field`, `precondition_failed`.
pub(crate) async fn update_own(app: &App, caller: &Caller, input: &Input) -> Result<Profile> {
    let (id, realm) = caller.user()?;
    let change = input.check()?;
    app.pg
        .transaction(Scope::of(caller)?, async |conn: &mut Conn| {
            let user = managed::lock(conn, realm, id, None).await?;
            update(conn, app, caller, &user, &change, input).await
        })
        .await
}

/// Changes a user that the caller manages; a user who is deactivated is signed out at once.
///
/// # Errors
/// `permission_denied`, `read_only_field`, `precondition_failed`.
pub(crate) async fn update_managed(app: &App, caller: &Caller, id: &str, input: &Input) -> Result<Profile> {
    let (found, _) = managed::live(app, caller, id).await?;
    let change = input.check()?;
    let profile = app
        .pg
        .transaction(Scope::Tenant(found.tenant), async |conn: &mut Conn| {
            let user = managed::lock(conn, Some(found.tenant), found.id, None).await?;
            update(conn, app, caller, &user, &change, input).await
        })
        .await?;
    app.wake.wake();
    Ok(profile)
}

async fn update(
    conn: &mut Conn,
    app: &App,
    caller: &Caller,
    user: &User,
    change: &Change,
    input: &Input,
) -> Result<Profile, TxError> {
    let tenant_name = users::tenant_name(conn, user.tenant_id).await?;
    check_read_only(user, tenant_name.as_deref(), &input.read_only)?;
    if input.if_version.is_some_and(|version| version != user.version) {
        return Err(Error::new(kit::Code::PreconditionFailed).into());
    }
    let text = |new: &Option<String>, old: &String| new.clone().unwrap_or_else(|| old.clone());
    let [first, last, username] = [
        text(&change.first_name, &user.first_name),
        text(&change.last_name, &user.last_name),
        text(&change.username, &user.username),
    ];
    let deactivated = user.is_active && change.is_active == Some(false);
    let change = Change {
        name_norm: Some(search_name([&first, &last, &username])),
        token_version: deactivated.then_some(user.token_version + 1),
        ..change.clone()
    };
    let now = app.clock.now();
    let changed = users::update(conn, user.id, &change, now).await?;
    if deactivated {
        sessions::end_all(conn, app, caller, user.id, changed.token_version, "deactivated").await?;
        crate::store::challenges::void_others(conn, user.tenant_id, user.id, &user.email_norm, now).await?;
    }
    let action = match (user.is_active, changed.is_active) {
        (true, false) => "user_deactivate",
        (false, true) => "user_activate",
        _ => "user_update",
    };
    let event = audit::Event::success(user.tenant_id, action, user.id);
    audit::record(conn, app, caller, event).await?;
    Ok(Profile { user: changed, tenant_name })
}
