use std::path::PathBuf;
use std::process::ExitCode;

use sandbox::servers::{Postgres, PostgresOptions, Redis, RedisOptions, free_port};

/// Runs a command beside throw-away servers; its exit code.
pub(crate) async fn run(command: &[String]) -> ExitCode {
    match started(command).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("songlist: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn started(command: &[String]) -> anyhow::Result<ExitCode> {
    let (program, arguments) = command.split_first().ok_or_else(|| anyhow::anyhow!("no command"))?;
    let folder = PathBuf::from("target/test-servers").join(kit::ids::random().simple().to_string());
    let absolute = std::env::current_dir()?.join(&folder);
    let postgres = PostgresOptions { folder: absolute.join("postgres"), port: free_port()?, durable: false };
    let mut postgres = Postgres::start(&postgres).await?;
    let mut redis = Redis::start(&RedisOptions { folder: absolute.join("redis"), port: free_port()? }).await?;
    let status = tokio::process::Command::new(program)
        .args(arguments)
        .env("TEST_DATABASE_URL", postgres.admin_url("postgres"))
        .env("TEST_REDIS_URL", redis.url())
        .status()
        .await;
    postgres.stop();
    redis.stop();
    let _ = std::fs::remove_dir_all(&absolute);
    let code = status?.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}
