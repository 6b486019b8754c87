//! SUPER_ADMINs are created by an operator with access to the database, never through the API.

use kit::caller::Caller;
use kit::error::Faults;
use kit::{Error, Secret};
use kit_pg::{Conn, Scope, TxError};

use crate::App;
use crate::domain::challenges::{self, Dispatch};
use crate::domain::identity::{Person, RawPerson, compared};
use crate::domain::{audit, password_changes, passwords};
use crate::store::users::{self, User};

/// A SUPER_ADMIN to be created.
#[derive(Clone, Debug)]
pub struct NewSuperuser {
    pub username: String,
    pub email: String,
    pub password: Secret,
}

/// The operations of `songlist superuser`.
pub struct Superusers(App);

impl Superusers {
    /// Uses the state of the service.
    pub fn new(app: App) -> Self {
        Self(app)
    }

    /// Creates a verified SUPER_ADMIN; false when one with this e-mail exists, which is left as it is.
    ///
    /// # Errors
    /// Validation errors, or a database that cannot be reached.
    pub async fn create(&self, new: &NewSuperuser) -> Result<bool, Error> {
        let app = &self.0;
        let mut faults = Faults::default();
        let raw = RawPerson { username: new.username.clone(), email: new.email.clone(), ..RawPerson::default() };
        let person = raw.check("", &mut faults);
        faults.check("password", passwords::check_new(&new.password, &person));
        faults.finish()?;
        let now = app.clock.now();
        let user = User {
            id: kit::ids::new_v7(),
            tenant_id: None,
            role: "SUPER_ADMIN".to_owned(),
            name_norm: person.search_name(),
            username_norm: compared(&person.username),
            username: person.username,
            email_norm: compared(&person.email),
            email: person.email,
            first_name: String::new(),
            last_name: String::new(),
            phone_no: String::new(),
            password_hash: app.hasher.hash(app.hasher.turn(None)?, &new.password).await?,
            is_verified: true,
            is_active: true,
            totp_enabled: false,
            token_version: 1,
            version: 1,
            created_at: now,
            updated_at: now,
            deleted_at: None,
            deleted_by: None,
        };
        app.pg
            .transaction(Scope::Platform, async |conn: &mut Conn| {
                if users::find_by_identifier(conn, None, &user.email_norm).await?.is_some() {
                    return Ok(false);
                }
                users::insert(conn, &user).await?;
                audit_by_operator(conn, app, "superuser_create", &user).await?;
                Ok(true)
            })
            .await
    }

    /// Sets a password; every session ends.
    ///
    /// # Errors
    /// `NotFound`, or validation errors of the password.
    pub async fn reset_password(&self, email: &str, password: &Secret) -> Result<(), Error> {
        let app = &self.0;
        let user = self.find(email).await?;
        let person = Person::of(&user, None);
        passwords::check_new(password, &person).map_err(|text| Error::invalid("password", text))?;
        let hash = app.hasher.hash(app.hasher.turn(None)?, password).await?;
        let caller = Caller::system("operator");
        app.pg
            .transaction(Scope::Platform, async |conn: &mut Conn| {
                password_changes::set(conn, app, &caller, &user, &hash, "password_reset").await
            })
            .await
    }

    /// A new code for the newest sign-in that waits for one: for signing in while mail does not work.
    ///
    /// # Errors
    /// `NotFound` when no sign-in waits.
    pub async fn otp(&self, email: &str) -> Result<Secret, Error> {
        let app = &self.0;
        let user = self.find(email).await?;
        let newest = app
            .pg
            .transaction(Scope::Platform, async |conn: &mut Conn| {
                let newest = crate::store::challenges::newest_login_of(conn, user.id).await?;
                crate::store::challenges::shown_to_operator(conn, newest.id).await?;
                audit_by_operator(conn, app, "code_shown_to_operator", &user).await?;
                Ok(newest)
            })
            .await?;
        let dispatch: Option<Dispatch> = challenges::dispatch(app, newest.id).await?;
        dispatch.map(|dispatch| dispatch.code).ok_or_else(Error::not_found)
    }

    async fn find(&self, email: &str) -> Result<User, Error> {
        let email = compared(email);
        let found = self
            .0
            .pg
            .transaction(Scope::Platform, async |conn: &mut Conn| users::find_by_identifier(conn, None, &email).await)
            .await?;
        found.ok_or_else(Error::not_found)
    }
}

/// Records what somebody with access to the database did.
async fn audit_by_operator(conn: &mut Conn, app: &App, action: &str, user: &User) -> Result<(), TxError> {
    audit::record(conn, app, &Caller::system("operator"), audit::Event::success(None, action, user.id)).await
}
