//! Fills a running development stack with tenants and songs.

use std::path::Path;
use std::time::Instant;

use auth_service::{SeedUser, seed_tenant};
use kit::env::Env;
use kit_pg::{PgConfig, bootstrap};
use songlist_service::Catalogue;

use crate::running::RunningStack;
use crate::say;
use crate::seed::GENRES;
use crate::superuser::explain;

/// The database of a development stack.
const DATABASE: &str = "songlist";

/// How much is generated.
#[derive(clap::Args)]
pub(crate) struct Amounts {
    /// Tenants, `gen-1`, `gen-2` and so on. The first one has every song on its list, the second one a thousand; only these two
    /// have people: `admin@gen-1.example` and `listener@gen-1.example`.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    tenants: u32,
    /// GLOBAL songs.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    songs: u32,
    /// Songs on all lists together; twice as many as songs when missing.
    #[arg(long)]
    links: Option<u32>,
    /// The same seed makes the same songs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) async fn run(folder: &Path, amounts: &Amounts) -> anyhow::Result<()> {
    let stack = RunningStack::read(folder)?;
    let admin = bootstrap::with_database(&stack.database_admin_url(), DATABASE)?;
    let role = |service: &str| {
        let name = format!("{service}_rw");
        let url = bootstrap::with_role(&admin, DATABASE, &name, &format!("{name}_dev"))?;
        anyhow::Ok(PgConfig::of_url(&url, "generator"))
    };
    let mut env = Env::process();
    let mut auth = auth_service::Config::from_env(&mut env);
    let mut songlist = songlist_service::Config::from_env(&mut env);
    env.finish()?;
    (auth.pg, songlist.pg) = (role("auth")?, role("songlist")?);
    let begun = Instant::now();
    let names: Vec<String> = GENRES.iter().map(|name| (*name).to_owned()).collect();
    songlist_service::seed_genres(&songlist_service::App::new(songlist)?, &names).await.map_err(explain)?;
    let auth = auth_service::App::new(auth).await?;
    let mut tenants = Vec::new();
    for number in 1..=amounts.tenants {
        let people = if number > 2 { Vec::new() } else { people(number) };
        let (name, slug) = (format!("Generated {number}"), format!("gen-{number}"));
        tenants.push(seed_tenant(&auth, &name, &slug, &people).await.map_err(explain)?);
    }
    say(&format!("{} tenants after {:.1} s", tenants.len(), begun.elapsed().as_secs_f64()));
    let links = amounts.links.unwrap_or(amounts.songs.saturating_mul(2));
    let wanted = Catalogue { songs: amounts.songs, links, tenants, seed: amounts.seed };
    songlist_service::generate(&admin, "songlist", &wanted).await?;
    say(&format!("{} songs and their lists after {:.1} s", amounts.songs, begun.elapsed().as_secs_f64()));
    Ok(())
}

/// The ADMIN and the LISTENER of a tenant.
fn people(number: u32) -> Vec<SeedUser> {
    let person = |role: &'static str, name: &'static str, email: &'static str| SeedUser {
        role,
        username: name,
        email,
        password: "correct horse battery",
    };
    match number {
        1 => vec![
            person("ADMIN", "admin", "admin@gen-1.example"),
            person("LISTENER", "listener", "listener@gen-1.example"),
        ],
        _ => vec![
            person("ADMIN", "admin", "admin@gen-2.example"),
            person("LISTENER", "listener", "listener@gen-2.example"),
        ],
    }
}
