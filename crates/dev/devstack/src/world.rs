//! Tenants and people for tests: `let world = World::start().await; let alpha = world.tenant("Alpha").await;`. Every
//! failure in here fails the test.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails its test")]

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, Person};
use crate::stack::Stack;

/// The password of all users except the SUPER_ADMIN.
pub const PASSWORD: &str = "staple of the test battery";

/// The five services and their SUPER_ADMIN, signed in.
pub struct World {
    pub stack: Stack,
    pub root: Person,
}

/// A tenant without users.
pub struct Tenant {
    pub id: String,
    pub slug: String,
}

/// A premium tenant with one object of every kind that a tenant owns, by id. Each object contains the tenant's name, so
/// that a test finds it where it must not be.
pub struct FullTenant {
    pub tenant: Tenant,
    pub admin: Person,
    pub listener: Person,
    pub song: String,
    pub link: String,
    pub playlist: String,
    pub request: String,
    pub payment: String,
    pub genre: String,
    /// A session of the LISTENER.
    pub session: String,
}

impl World {
    pub async fn start() -> Self {
        Self::of(Stack::start().await.unwrap()).await
    }

    /// The same with the limits of production.
    pub async fn start_with_real_limits() -> Self {
        Self::of(Stack::start_with_real_limits().await.unwrap()).await
    }

    /// The same with network links between its parts, for counting what is sent and for breaking connections.
    pub async fn start_behind_links() -> Self {
        Self::of(Stack::start_behind_links().await.unwrap()).await
    }

    /// The same with the limits of production.
    pub async fn start_behind_links_with_real_limits() -> Self {
        Self::of(Stack::start_behind_links_with_real_limits().await.unwrap()).await
    }

    /// The same with two replicas of each service.
    pub async fn start_two_of_each() -> Self {
        Self::of(Stack::start_two_of_each(false).await.unwrap()).await
    }

    /// The same with the limits of production.
    pub async fn start_two_of_each_with_real_limits() -> Self {
        Self::of(Stack::start_two_of_each(true).await.unwrap()).await
    }

    async fn of(stack: Stack) -> Self {
        let root = stack.root().await.unwrap();
        Self { stack, root }
    }

    /// Stops everything, after a search for secrets in all that the test has left behind.
    pub async fn stop(self) {
        self.stack.stop().await.unwrap();
    }

    /// A client that is not signed in.
    pub fn client(&self) -> Client {
        self.stack.client()
    }

    /// A tenant that has not paid.
    pub async fn tenant(&self, name: &str) -> Tenant {
        let made = self.root.client.post("/tenants/", json!({ "name": name })).await.unwrap().expect(201).unwrap();
        Tenant { id: made.text_at("/data/id").unwrap(), slug: made.text_at("/data/slug").unwrap() }
    }

    /// An ADMIN of the tenant, made by the SUPER_ADMIN and signed in.
    pub async fn admin(&self, tenant: &Tenant) -> Person {
        let email = format!("admin@{}.example", tenant.slug);
        let new = json!({ "username": "admin", "email": email, "password": PASSWORD, "tenant_id": tenant.id });
        self.root.create("/users/", new).await;
        self.verify(&tenant.slug, &email).await;
        self.sign_in(&tenant.slug, &email).await
    }

    /// A premium tenant with one object of every kind.
    pub async fn full_tenant(&self, name: &str) -> FullTenant {
        let tenant = self.tenant(name).await;
        let admin = self.admin(&tenant).await;
        let payment = pay(&admin).await;
        let listener = self.listener(&tenant, "listener").await;
        let genre = self.root.create("/genres/", json!({ "name": format!("Genre {name}") })).await;
        let new = json!({ "title": format!("Song {name}"), "artist": name, "genre": genre });
        let song = admin.create("/songs/", new).await;
        let links = admin.client.get("/tenant/songs/").await.unwrap().expect(200).unwrap();
        let link = links.text_at("/data/0/id").unwrap();
        let playlist = listener.create("/playlists/", json!({ "name": format!("List {name}") })).await;
        let wanted = json!({ "song_title": format!("Wanted {name}"), "artist_name": name });
        let request = listener.create("/song-requests/", wanted).await;
        let sessions = listener.client.get("/users/me/sessions/").await.unwrap().expect(200).unwrap();
        let session = sessions.text_at("/data/0/id").unwrap();
        FullTenant { tenant, admin, listener, song, link, playlist, request, payment, genre, session }
    }

    /// A LISTENER who has registered, verified the address and signed in.
    pub async fn listener(&self, tenant: &Tenant, name: &str) -> Person {
        let email = format!("{name}@{}.example", tenant.slug);
        let new = json!({ "username": name, "email": email, "password": PASSWORD, "confirm_password": PASSWORD });
        let path = format!("/tenant/{}/auth/register/", tenant.slug);
        self.client().post(&path, new).await.unwrap().expect(201).unwrap();
        self.verify(&tenant.slug, &email).await;
        self.sign_in(&tenant.slug, &email).await
    }

    /// Verifies an address with the code that was mailed to it.
    pub async fn verify(&self, slug: &str, email: &str) {
        let otp = self.client().mailed_code(&self.stack.mailbox_url, email, &[]).await.unwrap();
        let path = format!("/tenant/{slug}/auth/verify-email/");
        self.client().post(&path, json!({ "email": email, "otp": otp })).await.unwrap().expect(200).unwrap();
    }

    /// Signs in with [`PASSWORD`] and the mailed code.
    pub async fn sign_in(&self, slug: &str, email: &str) -> Person {
        let root_path = format!("/tenant/{slug}/auth");
        self.client().sign_in(&root_path, &self.stack.mailbox_url, email, PASSWORD).await.unwrap()
    }
}

impl Person {
    /// Creates something and returns its id.
    pub async fn create(&self, path: &str, body: Value) -> String {
        self.client.post(path, body).await.unwrap().expect(201).unwrap().text_at("/data/id").unwrap()
    }
}

/// Pays for premium on the hosted page and waits until it is active; returns the payment's id.
pub async fn pay(admin: &Person) -> String {
    let link = admin.client.post("/payments/create-payment-link/", json!({})).await.unwrap();
    // The gateway may have asked twice on a busy machine: the second answer is the open link.
    assert!(matches!(link.status, 200 | 201), "{}", link.text);
    let page = format!("{}/pay", link.text_at("/data/payment_link_url").unwrap());
    let form = admin.client.request(Method::POST, &page).form(&[("outcome", "success")]);
    admin.client.send(form).await.unwrap();
    testkit::eventually("premium is active", || async {
        let found = admin.client.get("/payments/subscription/").await.unwrap();
        (found.at("/data/is_premium") == &json!(true)).then_some(())
    })
    .await;
    link.text_at("/data/payment_id").unwrap()
}
