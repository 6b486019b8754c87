//! The accounts of the demonstration.

use kit::Secret;
use kit::error::Faults;
use kit::ids::TenantId;
use kit_pg::{Conn, Scope};
use serde_json::json;
use uuid::Uuid;

use crate::App;
use crate::domain::identity::{RawPerson, compared};
use crate::store::tenants::{self, Tenant};
use crate::store::users::{self, User};

/// A user of a seeded tenant, verified from the start.
#[derive(Clone, Debug)]
pub struct SeedUser {
    /// `ADMIN` or `LISTENER`.
    pub role: &'static str,
    pub username: &'static str,
    pub email: &'static str,
    pub password: &'static str,
}

/// Creates a tenant and its users when they are missing; returns the tenant's id.
///
/// # Errors
/// Validation errors, or a database that cannot be reached.
pub async fn seed_tenant(app: &App, name: &str, slug: &str, people: &[SeedUser]) -> kit::Result<Uuid> {
    let now = app.clock.now();
    let tenant = app
        .pg
        .transaction(Scope::Platform, async |conn: &mut Conn| {
            if let Some(found) = tenants::find_by_slug(conn, slug).await? {
                return Ok(found.id);
            }
            let row = Tenant {
                id: TenantId::new().0,
                name: name.to_owned(),
                name_norm: compared(name),
                slug: slug.to_owned(),
                is_active: true,
                is_premium: false,
                premium_version: 0,
                user_count: 0,
                token_version: 1,
                version: 1,
                created_at: now,
                updated_at: now,
                deleted_at: None,
            };
            tenants::insert(conn, &row).await?;
            let message = outbox::NewMessage {
                topic: "tenant.changed",
                tenant_id: Some(row.id),
                aggregate_id: row.id,
                version: row.version,
                payload: json!({ "name": row.name, "is_active": row.is_active }),
                request_id: "seed".to_owned(),
            };
            outbox::emit(conn, message).await?;
            Ok(row.id)
        })
        .await?;
    for person in people {
        seed_user(app, TenantId(tenant), person).await?;
    }
    Ok(tenant)
}

async fn seed_user(app: &App, tenant: TenantId, seed: &SeedUser) -> kit::Result<()> {
    let mut faults = Faults::default();
    let raw = RawPerson { username: seed.username.to_owned(), email: seed.email.to_owned(), ..RawPerson::default() };
    let person = raw.check("", &mut faults);
    faults.finish()?;
    let now = app.clock.now();
    let row = User {
        id: kit::ids::new_v7(),
        tenant_id: Some(tenant.0),
        role: seed.role.to_owned(),
        name_norm: person.search_name(),
        username_norm: compared(&person.username),
        username: person.username,
        email_norm: compared(&person.email),
        email: person.email,
        first_name: String::new(),
        last_name: String::new(),
        phone_no: String::new(),
        password_hash: app.hasher.hash(app.hasher.turn(None)?, &Secret::new(seed.password)).await?,
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
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            if users::find_by_identifier(conn, Some(tenant), &row.email_norm).await?.is_some() {
                return Ok(());
            }
            users::insert(conn, &row).await?;
            tenants::add_user_count(conn, tenant, 1).await
        })
        .await
}
