//! A tenant with one of everything, for tests that compare tenants.

use devstack::{Client, Person, Stack};
use reqwest::Method;
use serde_json::{Value, json};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// One of everything that a tenant owns, by id.
pub(crate) struct World {
    pub(crate) tenant: String,
    pub(crate) slug: String,
    pub(crate) admin: Person,
    pub(crate) listener: Person,
    pub(crate) song: String,
    pub(crate) link: String,
    pub(crate) playlist: String,
    pub(crate) request: String,
    pub(crate) payment: String,
    pub(crate) genre: String,
}

async fn verify(stack: &Stack, client: &Client, slug: &str, email: &str) {
    let otp = client.mailed_code(&stack.mailbox_url, email, &[]).await.unwrap();
    let path = format!("/tenant/{slug}/auth/verify-email/");
    client.post(&path, json!({ "email": email, "otp": otp })).await.unwrap().expect(200).unwrap();
}

/// A verified, signed-in LISTENER.
pub(crate) async fn listener(stack: &Stack, slug: &str, name: &str) -> Person {
    let (client, email) = (stack.client().unwrap(), format!("{name}@{slug}.example"));
    let body = json!({ "username": name, "email": email, "password": PASSWORD, "confirm_password": PASSWORD });
    client.post(&format!("/tenant/{slug}/auth/register/"), body).await.unwrap().expect(201).unwrap();
    verify(stack, &client, slug, &email).await;
    client.sign_in(&format!("/tenant/{slug}/auth"), &stack.mailbox_url, &email, PASSWORD).await.unwrap()
}

/// Creates something and returns its id.
pub(crate) async fn make(person: &Person, path: &str, body: Value) -> String {
    let made = person.client.post(path, body).await.unwrap().expect(201).unwrap();
    made.text_at("/data/id").unwrap()
}

/// A tenant that has not paid, and its ADMIN.
pub(crate) struct Unpaid {
    pub(crate) tenant: String,
    pub(crate) slug: String,
    pub(crate) admin: Person,
}

/// A tenant with its ADMIN, signed in.
pub(crate) async fn unpaid_tenant(stack: &Stack, root: &Person, name: &str) -> Unpaid {
    let made = root.client.post("/tenants/", json!({ "name": name })).await.unwrap().expect(201).unwrap();
    let (tenant, slug) = (made.text_at("/data/id").unwrap(), made.text_at("/data/slug").unwrap());
    let email = format!("admin@{slug}.example");
    let new = json!({ "username": "admin", "email": email, "password": PASSWORD, "tenant_id": tenant });
    root.client.post("/users/", new).await.unwrap().expect(201).unwrap();
    let client = stack.client().unwrap();
    verify(stack, &client, &slug, &email).await;
    let admin = client.sign_in(&format!("/tenant/{slug}/auth"), &stack.mailbox_url, &email, PASSWORD).await.unwrap();
    Unpaid { tenant, slug, admin }
}

/// A premium tenant with one of everything, each bearing `name` as a canary.
pub(crate) async fn tenant(stack: &Stack, root: &Person, name: &str) -> World {
    let Unpaid { tenant, slug, admin } = unpaid_tenant(stack, root, name).await;
    let payment = premium(&admin).await;
    let listener = listener(stack, &slug, "listener").await;
    let genre = root.client.post("/genres/", json!({ "name": format!("Genre {name}") })).await.unwrap();
    let genre = genre.expect(201).unwrap().text_at("/data/id").unwrap();
    let song =
        make(&admin, "/songs/", json!({ "title": format!("Song {name}"), "artist": name, "genre": genre })).await;
    let links = admin.client.get("/tenant/songs/").await.unwrap().expect(200).unwrap();
    let link = links.text_at("/data/0/id").unwrap();
    let playlist = make(&listener, "/playlists/", json!({ "name": format!("List {name}") })).await;
    let wish = json!({ "song_title": format!("Wish {name}"), "artist_name": name });
    let request = make(&listener, "/song-requests/", wish).await;
    World { tenant, slug, admin, listener, song, link, playlist, request, payment, genre }
}

/// Pays for premium and waits until it is there; the payment's id.
pub(crate) async fn premium(admin: &Person) -> String {
    let link = admin.client.post("/payments/create-payment-link/", json!({})).await.unwrap().expect(201).unwrap();
    let pay = format!("{}/pay", link.text_at("/data/payment_link_url").unwrap());
    let form = admin.client.request(Method::POST, &pay).form(&[("outcome", "success")]);
    admin.client.send(form).await.unwrap();
    testkit::eventually("premium is active", || async {
        let found = admin.client.get("/payments/subscription/").await.unwrap();
        (found.at("/data/is_premium") == &json!(true)).then_some(())
    })
    .await;
    link.text_at("/data/payment_id").unwrap()
}
