use auth_service::{SeedUser, seed_tenant};
use clap::Subcommand;
use kit::Secret;
use kit::env::Env;

use crate::say;
use crate::superuser::explain;

/// Genres of a new installation.
pub(crate) const GENRES: [&str; 20] = [
    "Rock",
    "Pop",
    "Jazz",
    "Blues",
    "Classical",
    "Electronic",
    "Folk",
    "Hip Hop",
    "Country",
    "Metal",
    "Punk",
    "Reggae",
    "Soul",
    "Latin",
    "World",
    "Devotional",
    "Bollywood",
    "Tamil Film",
    "Carnatic",
    "Ghazal",
];
/// The tenant of the demonstration.
pub(crate) const DEMO_TENANT: (&str, &str) = ("Demo Bar", "demo-bar");
/// The SUPER_ADMIN of the demonstration: username, e-mail, password. Development only.
pub(crate) const DEMO_ROOT: (&str, &str, &str) = ("root", "root@songlist.example", "a long way to the top");
/// The people of the demonstration's tenant. Development only.
pub(crate) const DEMO_PEOPLE: [SeedUser; 2] = [
    SeedUser {
        role: "ADMIN",
        username: "barkeeper",
        email: "admin@demo-bar.example",
        password: "correct horse battery",
    },
    SeedUser {
        role: "LISTENER",
        username: "asha",
        email: "listener@demo-bar.example",
        password: "correct horse battery",
    },
];

#[derive(Clone, Copy, Subcommand)]
pub(crate) enum What {
    /// The genres of a new installation.
    Genres,
    /// The demonstration's tenant with its ADMIN and LISTENER.
    Tenants,
    /// The demonstration's songs, as GLOBAL songs, from deploy/demo/songs.csv.
    Songs,
    /// All of it, with a SUPER_ADMIN; never in production.
    Demo,
}

/// Seeds the demonstration; returns the id of its tenant.
pub(crate) async fn run_demo(env: &mut Env) -> anyhow::Result<String> {
    seed(env, What::Demo).await
}

pub(crate) async fn run(env: &mut Env, what: What) -> anyhow::Result<()> {
    seed(env, what).await.map(|_tenant| ())
}

async fn seed(env: &mut Env, what: What) -> anyhow::Result<String> {
    anyhow::ensure!(!env.production(), "demonstration rows have public passwords: not in production");
    let (auth, songlist) = (auth_service::Config::from_env(env), songlist_service::Config::from_env(env));
    env.finish()?;
    if matches!(what, What::Genres | What::Songs | What::Demo) {
        let app = songlist_service::App::new(songlist)?;
        let names: Vec<String> = GENRES.iter().map(|name| (*name).to_owned()).collect();
        let made = songlist_service::seed_genres(&app, &names).await.map_err(explain)?;
        say(&format!("{made} genres made"));
        if matches!(what, What::Songs | What::Demo) {
            let file = std::path::Path::new("deploy/demo/songs.csv");
            let made = songlist_service::seed_songs(&app, file).await.map_err(explain)?;
            say(&format!("{made} GLOBAL songs made"));
        }
    }
    if matches!(what, What::Tenants | What::Demo) {
        let app = auth_service::App::new(auth).await?;
        if matches!(what, What::Demo) {
            let (username, email, password) = DEMO_ROOT;
            let new = auth_service::NewSuperuser {
                username: username.to_owned(),
                email: email.to_owned(),
                password: Secret::new(password),
            };
            auth_service::Superusers::new(app.clone()).create(&new).await.map_err(explain)?;
        }
        let tenant = seed_tenant(&app, DEMO_TENANT.0, DEMO_TENANT.1, &DEMO_PEOPLE).await.map_err(explain)?;
        say(&format!("the tenant {} is there", DEMO_TENANT.1));
        return Ok(tenant.to_string());
    }
    Ok(String::new())
}
