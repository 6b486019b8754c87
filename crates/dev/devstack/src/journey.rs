//! The journey: the main use of SongList from end to end, through the gateway only. `make demo` plays it against a
//! running stack, the system suite against a stack of its own.

use std::future::Future;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, Person, Reply, Unexpected};

const PASSWORD: &str = "correct horse battery";
/// A song that is not in the song file.
const MISSING: (&str, &str) = ("A Song Nobody Has Yet", "The Journey Band");

/// The addresses of a stack, and the login of its SUPER_ADMIN.
#[derive(Clone, Debug)]
pub struct Places {
    pub gateway: String,
    pub mailbox: String,
    pub root_email: String,
    pub root_password: String,
}

/// A file of songs, with the columns of title, artist and year.
#[derive(Clone, Debug)]
pub struct SongFile {
    pub path: PathBuf,
    pub columns: &'static str,
    /// An artist of the file, a misspelt title of the file, and the correct title.
    pub artist: &'static str,
    pub misspelt: &'static str,
    pub meant: &'static str,
}

impl SongFile {
    /// The full list when the folder `shared` exists beside the project, else the project's own list.
    pub fn choose(project: &std::path::Path) -> Self {
        let real = project.join("../shared/data/classic-rock-song-list.csv");
        if real.is_file() {
            return Self {
                path: real,
                columns: "title:Song Clean,artist:ARTIST CLEAN,release_year:Release Year",
                artist: "Led Zeppelin",
                misspelt: "Stairway to Heven",
                meant: "Stairway to Heaven",
            };
        }
        Self {
            path: project.join("deploy/demo/songs.csv"),
            columns: "",
            artist: "A. R. Rahman",
            misspelt: "Bohemian Rapsody",
            meant: "Bohemian Rhapsody",
        }
    }
}

/// Callbacks that the journey makes at its steps: to print them, or to break something.
pub trait Watcher {
    /// Called after a step with what happened.
    fn step(&mut self, name: &str, status: u16, took: Duration);

    /// Called for every answer of 500 and above; a client answers a 503 by trying again.
    fn failed(&mut self, _name: &str, _reply: &Reply) {}

    /// Called when no answer came.
    fn broken(&mut self, _name: &str, _error: &anyhow::Error) {}

    /// Called between steps; the journey goes on when it returns.
    fn between(&mut self, name: &str) -> impl Future<Output = anyhow::Result<()>>;
}

struct Journey<'a, W> {
    watcher: &'a mut W,
    places: &'a Places,
    client: Client,
}

/// Plays the whole journey. Names contain a random part, so that it can be played again.
///
/// # Errors
/// The step that failed, with the answer.
pub async fn play<W: Watcher>(places: &Places, songs: &SongFile, watcher: &mut W) -> anyhow::Result<()> {
    let run = kit::ids::random().simple().to_string();
    let run = run.get(..6).unwrap_or("000000");
    let mut journey = Journey { watcher, places, client: Client::new(&places.gateway)? };
    let root = journey.root().await?;
    let (tenant, slug) = journey.tenant(&root, &format!("Classic Rock Bar {run}")).await?;
    let admin = journey.admin(&root, &tenant, &slug, run).await?;
    journey.premium(&admin).await?;
    journey.import(&admin, songs).await?;
    let listener = journey.listener(&slug, run).await?;
    let found = journey.search(&listener, songs).await?;
    journey.playlist(&listener, &found).await?;
    let request = journey.request(&listener).await?;
    journey.fulfil(&admin, &request).await?;
    journey.see_fulfilled(&listener, &request).await?;
    journey.leave(&listener).await
}

impl<W: Watcher> Journey<'_, W> {
    /// Does one request as a step. After a 503 it tries again, as clients do: the service is being restarted.
    async fn step<F, Fut>(&mut self, name: &str, status: u16, mut request: F) -> anyhow::Result<Reply>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = anyhow::Result<Reply>>,
    {
        self.watcher.between(name).await?;
        let started = Instant::now();
        let reply = loop {
            match request().await {
                Ok(reply) if reply.status == 503 && started.elapsed() < Duration::from_secs(30) => {
                    let after =
                        reply.headers.get("retry-after").and_then(|v| v.to_str().ok()?.parse().ok()).unwrap_or(1);
                    self.watcher.failed(name, &reply);
                    tokio::time::sleep(Duration::from_secs(after).min(Duration::from_secs(2)) / 4).await;
                }
                Err(error) if started.elapsed() < Duration::from_secs(30) => {
                    self.watcher.broken(name, &error);
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
                outcome => break outcome.with_context(|| format!("step: {name}"))?,
            }
        };
        self.watcher.step(name, reply.status, started.elapsed());
        reply.expect(status).with_context(|| format!("step: {name}"))
    }

    /// Repeats a request until its answer is the expected one.
    async fn until<F, Fut>(
        &mut self,
        name: &str,
        mut request: F,
        done: impl Fn(&Reply) -> bool,
    ) -> anyhow::Result<Reply>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = anyhow::Result<Reply>>,
    {
        self.watcher.between(name).await?;
        let started = Instant::now();
        loop {
            match request().await {
                Ok(reply) if done(&reply) => {
                    self.watcher.step(name, reply.status, started.elapsed());
                    return Ok(reply);
                }
                Ok(reply) if reply.status >= 500 => self.watcher.failed(name, &reply),
                Ok(_) => {}
                Err(error) => self.watcher.broken(name, &error),
            }
            anyhow::ensure!(started.elapsed() < Duration::from_secs(60), "{name}: not within a minute");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn sign_in(&mut self, who: &str, root: &str, email: &str, password: &str) -> anyhow::Result<Person> {
        let (client, mailbox) = (self.client.clone(), self.places.mailbox.clone());
        self.watcher.between(who).await?;
        let started = Instant::now();
        let person = loop {
            match client.sign_in(root, &mailbox, email, password).await {
                // The code may belong to an earlier sign-in that a crash interrupted: the sign-in is started again.
                Err(error) if started.elapsed() < Duration::from_secs(30) => {
                    match error.downcast_ref::<Unexpected>() {
                        Some(unexpected) if unexpected.reply.status >= 500 => {
                            self.watcher.failed(who, &unexpected.reply);
                        }
                        Some(_) => {}
                        None => self.watcher.broken(who, &error),
                    }
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
                outcome => break outcome.with_context(|| format!("step: {who} signs in"))?,
            }
        };
        self.watcher.step(&format!("{who} signs in: password, then the mailed code"), 200, started.elapsed());
        Ok(person)
    }

    async fn root(&mut self) -> anyhow::Result<Person> {
        let (email, password) = (self.places.root_email.clone(), self.places.root_password.clone());
        let root = self.sign_in("SUPER_ADMIN", "/auth/super-admin", &email, &password).await?;
        let genre = json!({ "name": "Rock" });
        self.until(
            "SUPER_ADMIN sees to the genre",
            || root.client.post("/genres/", genre.clone()),
            // In a seeded installation the genre exists already.
            |reply| reply.status == 201 || reply.status == 409,
        )
        .await?;
        Ok(root)
    }

    async fn tenant(&mut self, root: &Person, name: &str) -> anyhow::Result<(String, String)> {
        let body = json!({ "name": name });
        let made = self
            .step("SUPER_ADMIN creates the tenant", 201, || {
                let request = root.client.request(Method::POST, "/tenants/").header("idempotency-key", name);
                root.client.send(request.json(&body))
            })
            .await?;
        Ok((made.text_at("/data/id")?, made.text_at("/data/slug")?))
    }

    async fn verify(&mut self, who: &str, slug: &str, email: &str) -> anyhow::Result<()> {
        let (client, mailbox) = (self.client.clone(), self.places.mailbox.clone());
        let otp = client.mailed_code(&mailbox, email, &[]).await?;
        let body = json!({ "email": email, "otp": otp });
        let path = format!("/tenant/{slug}/auth/verify-email/");
        self.step(&format!("{who} verifies the address"), 200, || client.post(&path, body.clone())).await?;
        Ok(())
    }

    async fn admin(&mut self, root: &Person, tenant: &str, slug: &str, run: &str) -> anyhow::Result<Person> {
        let email = format!("admin-{run}@bar.example");
        let body =
            json!({ "username": format!("admin-{run}"), "email": email, "password": PASSWORD, "tenant_id": tenant });
        self.step("SUPER_ADMIN creates its ADMIN", 201, || {
            let request = root.client.request(Method::POST, "/users/").header("idempotency-key", &email);
            root.client.send(request.json(&body))
        })
        .await?;
        self.verify("ADMIN", slug, &email).await?;
        self.sign_in("ADMIN", &format!("/tenant/{slug}/auth"), &email, PASSWORD).await
    }

    async fn premium(&mut self, admin: &Person) -> anyhow::Result<()> {
        let link = self
            .until(
                "ADMIN asks for a payment link",
                || admin.client.post("/payments/create-payment-link/", json!({})),
                |reply| reply.status == 201 || reply.status == 200,
            )
            .await?;
        anyhow::ensure!(link.at("/data/amount") == &json!("999.00"), "amount: {}", link.text);
        let pay = format!("{}/pay", link.text_at("/data/payment_link_url")?);
        self.watcher.between("ADMIN pays on the hosted page").await?;
        let started = Instant::now();
        // The page redirects to the callback at the gateway, which may be down; the payment was made all the same.
        let form = admin.client.request(Method::POST, &pay).form(&[("outcome", "success")]);
        let paid = admin.client.send(form).await.map_or(0, |reply| reply.status);
        self.watcher.step("ADMIN pays on the hosted page", paid, started.elapsed());
        self.until(
            "the webhook arrives and premium is active",
            || admin.client.get("/payments/subscription/"),
            |reply| reply.at("/data/is_premium") == &json!(true),
        )
        .await?;
        Ok(())
    }

    async fn import(&mut self, admin: &Person, songs: &SongFile) -> anyhow::Result<()> {
        let file = std::fs::read(&songs.path).with_context(|| songs.path.display().to_string())?;
        let send = || {
            let mut request = admin.client.request(Method::POST, "/songs/import/").query(&[("genre", "Rock")]);
            if !songs.columns.is_empty() {
                request = request.query(&[("columns", songs.columns)]);
            }
            admin.client.send(request.header("content-type", "text/csv").body(file.clone()))
        };
        let first = self.step("ADMIN imports the list", 200, send).await?;
        accounted(&first)?;
        let second = self.step("ADMIN imports it again: nothing is created twice", 200, send).await?;
        accounted(&second)?;
        anyhow::ensure!(second.at("/data/created") == &json!(0), "created twice: {}", second.text);
        Ok(())
    }

    async fn listener(&mut self, slug: &str, run: &str) -> anyhow::Result<Person> {
        let email = format!("listener-{run}@example.com");
        let body = json!({ "username": format!("listener-{run}"), "email": email, "password": PASSWORD,
                           "confirm_password": PASSWORD, "first_name": "Asha" });
        let (client, path) = (self.client.clone(), format!("/tenant/{slug}/auth/register/"));
        self.step("LISTENER registers", 201, || client.post(&path, body.clone())).await?;
        self.verify("LISTENER", slug, &email).await?;
        self.sign_in("LISTENER", &format!("/tenant/{slug}/auth"), &email, PASSWORD).await
    }

    /// Finds songs by artist and by a misspelt title; returns the ids of three.
    async fn search(&mut self, listener: &Person, songs: &SongFile) -> anyhow::Result<Vec<String>> {
        let search = |name: &'static str, value: &'static str| {
            let request = listener.client.request(Method::GET, "/tenant/songs/").query(&[(name, value)]);
            listener.client.send(request)
        };
        let by_artist = self.step("LISTENER finds songs by artist", 200, || search("artist", songs.artist)).await?;
        let rows = by_artist.at("/data").as_array().cloned().unwrap_or_default();
        let ids: Vec<String> =
            rows.iter().filter_map(|row| row.get("id")?.as_str().map(str::to_owned)).take(3).collect();
        anyhow::ensure!(ids.len() == 3, "three songs of {}: {}", songs.artist, by_artist.text);
        let typo = self.step("LISTENER finds a song by a misspelt title", 200, || search("q", songs.misspelt)).await?;
        let best = typo.text_at("/data/0/title")?;
        anyhow::ensure!(best.eq_ignore_ascii_case(songs.meant), "{}: {}", songs.misspelt, typo.text);
        Ok(ids)
    }

    async fn playlist(&mut self, listener: &Person, songs: &[String]) -> anyhow::Result<()> {
        let client = &listener.client;
        let made = self
            .step("LISTENER makes a playlist", 201, || {
                let request = client.request(Method::POST, "/playlists/").header("idempotency-key", "first");
                client.send(request.json(&json!({ "name": "Friday night" })))
            })
            .await?;
        let path = format!("/playlists/{}/songs/", made.text_at("/data/id")?);
        let body = json!({ "tenant_song_ids": songs });
        self.step("LISTENER adds three songs", 201, || {
            client.send(client.request(Method::POST, &path).header("idempotency-key", "three").json(&body))
        })
        .await?;
        let gone = songs.first().cloned().unwrap_or_default();
        let entry = format!("{path}{gone}/");
        let removed = self
            .until("LISTENER removes one", || client.delete(&entry), |r| r.status == 204 || r.status == 404)
            .await?;
        anyhow::ensure!(removed.status == 204 || removed.status == 404, "{}", removed.text);
        let left = self.step("LISTENER sees two songs, in order", 200, || client.get(&path)).await?;
        anyhow::ensure!(left.at("/count") == &json!(2), "{}", left.text);
        let positions: Vec<&Value> = [left.at("/data/0/position"), left.at("/data/1/position")].into();
        anyhow::ensure!(positions == [&json!(1), &json!(2)], "{}", left.text);
        Ok(())
    }

    async fn request(&mut self, listener: &Person) -> anyhow::Result<String> {
        let body = json!({ "song_title": MISSING.0, "artist_name": MISSING.1, "additional_notes": "please" });
        let client = &listener.client;
        let made = self
            .step("LISTENER requests a song that is missing", 201, || {
                client
                    .send(client.request(Method::POST, "/song-requests/").header("idempotency-key", "wish").json(&body))
            })
            .await?;
        made.text_at("/data/id")
    }

    async fn fulfil(&mut self, admin: &Person, request: &str) -> anyhow::Result<()> {
        let client = &admin.client;
        let (path, review) =
            (format!("/song-requests/{request}/fulfill/"), format!("/song-requests/{request}/review/"));
        let approved = self
            .until(
                "ADMIN approves it",
                || client.post(&review, json!({ "action": "approve" })),
                // After a crash the approval may have been made although its answer was lost.
                |reply| reply.status == 200 || reply.at("/code") == &json!("illegal_transition"),
            )
            .await?;
        anyhow::ensure!(approved.status == 200 || approved.status == 409, "{}", approved.text);
        let genres = self.step("ADMIN looks the genre up", 200, || client.get("/genres/?name=Rock")).await?;
        let song =
            json!({ "song": { "title": MISSING.0, "artist": MISSING.1, "genre": genres.text_at("/data/0/id")? } });
        let done = self
            .step("ADMIN fulfils it with a new song", 200, || {
                let request = client.request(Method::POST, &path).header("idempotency-key", request);
                client.send(request.json(&song))
            })
            .await?;
        anyhow::ensure!(done.at("/data/status") == &json!("FULFILLED"), "{}", done.text);
        Ok(())
    }

    async fn see_fulfilled(&mut self, listener: &Person, request: &str) -> anyhow::Result<()> {
        let client = &listener.client;
        let path = format!("/song-requests/{request}/");
        let seen = self.step("LISTENER sees it fulfilled", 200, || client.get(&path)).await?;
        anyhow::ensure!(seen.at("/data/status") == &json!("FULFILLED"), "{}", seen.text);
        let found = self
            .step("LISTENER finds the new song on the list", 200, || {
                client.send(client.request(Method::GET, "/tenant/songs/").query(&[("title", MISSING.0)]))
            })
            .await?;
        anyhow::ensure!(found.at("/count") == &json!(1), "{}", found.text);
        Ok(())
    }

    async fn leave(&mut self, listener: &Person) -> anyhow::Result<()> {
        let (client, refresh) = (self.client.clone(), listener.refresh.clone());
        let body = json!({ "refresh": refresh });
        let next =
            self.step("LISTENER refreshes the token", 200, || client.post("/token/refresh/", body.clone())).await?;
        let mine = client.with_token(&next.text_at("/access")?);
        let body = json!({ "refresh": next.text_at("/refresh")? });
        self.until(
            "LISTENER signs out",
            || mine.post("/auth/logout/", body.clone()),
            // After a crash the sign-out may have been made although its answer was lost.
            |reply| reply.status == 200 || reply.status == 401,
        )
        .await?;
        self.until("the old access token is refused", || mine.get("/users/me/"), |reply| reply.status == 401).await?;
        self.step("the old refresh token is refused", 401, || client.post("/token/refresh/", body.clone())).await?;
        Ok(())
    }
}

/// Fails unless every row of an import was created, linked, skipped or refused with a reason.
fn accounted(report: &Reply) -> anyhow::Result<()> {
    let number = |name: &str| report.at(&format!("/data/{name}")).as_u64().unwrap_or(0);
    let sum = number("created") + number("linked") + number("skipped_duplicates") + number("failed");
    anyhow::ensure!(number("total") > 0 && sum == number("total"), "rows are not accounted for: {}", report.text);
    let named = report.at("/data/errors").as_array().map_or(0, Vec::len);
    anyhow::ensure!(u64::try_from(named)? == number("failed").min(100), "refused rows are not named: {}", report.text);
    Ok(())
}
