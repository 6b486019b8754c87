use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use kit::env::Env;
use sandbox::servers::{Postgres, PostgresOptions, Redis, RedisOptions, free_port};
use tokio::signal::unix::{SignalKind, signal};

/// The folder of the throw-away servers.
const FOLDER: &str = "target/test-servers";
/// The time that the command may take to stop.
const GRACE: Duration = Duration::from_secs(10);
/// Files of a run that was killed are removed after this time.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs a command beside throw-away servers and returns its exit code. When `TEST_DATABASE_URL` and `TEST_REDIS_URL`
/// are both set, the servers they name are used instead.
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
    let mut child = tokio::process::Command::new(program);
    child.args(arguments);
    let mut env = Env::process();
    let given = (env.opt("TEST_DATABASE_URL", "servers"), env.opt("TEST_REDIS_URL", "servers"));
    if let (Some(_), Some(_)) = given {
        return code_of(child.status().await?);
    }
    let root = std::env::current_dir()?.join(FOLDER);
    sweep(&root);
    let folder = root.join(kit::ids::random().simple().to_string());
    let outcome = beside_servers(&folder, &mut child).await;
    let _ = std::fs::remove_dir_all(&folder);
    outcome
}

async fn beside_servers(folder: &Path, child: &mut tokio::process::Command) -> anyhow::Result<ExitCode> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let postgres = PostgresOptions { folder: folder.join("postgres"), port: free_port()?, durable: false };
    let postgres = Postgres::start(&postgres).await?;
    let redis = Redis::start(&RedisOptions { folder: folder.join("redis"), port: free_port()? }).await?;
    child.env("TEST_DATABASE_URL", postgres.admin_url("postgres")).env("TEST_REDIS_URL", redis.url());
    let mut running = child.kill_on_drop(true).spawn()?;
    tokio::select! {
        status = running.wait() => return code_of(status?),
        // At a terminal the command has received Ctrl-C itself.
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {
            let pid = running.id().map(|id| id.to_string()).unwrap_or_default();
            std::process::Command::new("kill").args(["-TERM", &pid]).status()?;
        }
    }
    // The servers are stopped after the command has ended.
    let _ = tokio::time::timeout(GRACE, running.wait()).await;
    anyhow::bail!("stopped before the command was done")
}

fn code_of(status: std::process::ExitStatus) -> anyhow::Result<ExitCode> {
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

/// Removes the files of runs that were killed.
fn sweep(root: &Path) {
    let old = |path: &PathBuf| {
        let changed = std::fs::metadata(path).and_then(|data| data.modified());
        changed.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > STALE))
    };
    let folders = std::fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    for folder in folders.filter(old) {
        let _ = std::fs::remove_dir_all(folder);
    }
}
