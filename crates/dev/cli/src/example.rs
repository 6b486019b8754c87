use kit::env::Env;
use kit::lifecycle::StopTimes;
use kit::telemetry::LogConfig;
use kit_pg::PgConfig;

const HEAD: &str =
    "# Every variable SongList reads, with its default. Copy to .env (read outside production only) or set them in the
# environment. Made by `make docs` from the config types; a test compares the two.

";

/// The text of `.env.example`, made from the variables that the config types read.
pub fn env_example() -> String {
    let mut env = Env::describing();
    env.choice(
        "APP_ENV",
        &["development", "production"],
        "development",
        "production refuses default and short secrets",
    );
    let _ = LogConfig::from_env(&mut env);
    let _ = StopTimes::from_env(&mut env);
    let _ = gateway::Config::from_env(&mut env);
    let _ = auth_service::Config::from_env(&mut env);
    let _ = songlist_service::Config::from_env(&mut env);
    let _ = payments_service::Config::from_env(&mut env);
    let _ = scheduler_service::Config::from_env(&mut env);
    for svc in ["AUTH", "SONGLIST", "PAYMENTS", "SCHEDULER"] {
        let _ = PgConfig::owner_from_env(&mut env, svc);
    }
    env.text("TIME_ZONE", "UTC", "Zone of schedules that people read; everything stored and answered is UTC");
    env.text("MEDIA_ROOT", ".dev/media", "Folder of the media store");
    env.opt("DATABASE_ADMIN_URL", "songlist dev: a PostgreSQL to use instead of a private one (superuser's URL)");
    for (name, about) in crate::dev::SANDBOX_VARIABLES {
        env.text(name.0, name.1, about);
    }
    format!("{HEAD}{}", env.example())
}
