use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use devstack::Reply;
use devstack::journey::{SongFile, Watcher, play};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::demo::places;
use crate::running::RunningStack;
use crate::say;

/// The services that can be killed.
pub(crate) const VICTIMS: [&str; 5] =
    ["auth-service", "songlist-service", "payments-service", "scheduler-service", "gateway"];
/// The services whose loss a client must notice: a run that kills one of them without any 503 is a failure.
const NEEDED: [&str; 3] = ["auth-service", "songlist-service", "payments-service"];
/// The step before which Redis is flushed.
const FLUSH_AT: usize = 12;
/// Time for a killed process to be ready again, and for messages to arrive: what a killed relay had claimed is claimed
/// again after half a minute.
const PATIENCE: Duration = Duration::from_secs(60);

/// Kills one process again and again while the journey is played.
struct Killer {
    folder: PathBuf,
    victim: &'static str,
    every: usize,
    steps: usize,
    kills: usize,
    /// The number of answers of 500 and above, and those among them that are not a 503 as the contract defines it.
    unavailable: usize,
    unclear: Vec<String>,
    /// The process that was killed last.
    dead: Option<u64>,
}

impl Watcher for Killer {
    fn step(&mut self, _name: &str, _status: u16, _took: Duration) {}

    fn failed(&mut self, name: &str, reply: &Reply) {
        self.unavailable += 1;
        let clear = reply.status == 503
            && reply.headers.contains_key("retry-after")
            && reply.at("/status") == &json!("error")
            && reply.at("/code").as_str().is_some_and(|code| code.ends_with("unavailable") || code == "timeout");
        if !clear {
            self.unclear.push(format!("{name}: {} {}", reply.status, reply.text));
        }
    }

    fn broken(&mut self, name: &str, error: &anyhow::Error) {
        if self.victim != "gateway" {
            self.unclear.push(format!("{name}: {error:#}"));
        }
    }

    async fn between(&mut self, _name: &str) -> anyhow::Result<()> {
        self.steps += 1;
        if self.steps == FLUSH_AT {
            let stack = RunningStack::read(&self.folder)?;
            anyhow::ensure!(stack.pid("redis").is_some(), "this stack's Redis is not its own: it is not flushed");
            flush(&stack.redis_url()).await?;
        }
        if self.steps.is_multiple_of(self.every) {
            self.kill().await?;
        }
        Ok(())
    }
}

impl Killer {
    /// Kills the victim once it is running again; every second time after a short delay, during the step's requests.
    async fn kill(&mut self) -> anyhow::Result<()> {
        let pid = self.alive().await?;
        self.kills += 1;
        self.dead = Some(pid);
        if self.kills.is_multiple_of(2) {
            tokio::spawn(async move {
                sleep(Duration::from_millis(3)).await;
                sigkill(pid)
            });
            return Ok(());
        }
        sigkill(pid)
    }

    /// Waits until the victim has a new process and the gateway is ready; returns the victim's process id.
    async fn alive(&self) -> anyhow::Result<u64> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let stack = RunningStack::read(&self.folder)?;
            let pid = stack.pid(self.victim).context("no such process in demo.json")?;
            let ready = reqwest::get(format!("{}/readyz", stack.url("gateway"))).await;
            if Some(pid) != self.dead && ready.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(pid);
            }
            anyhow::ensure!(Instant::now() < deadline, "{} is not back after {PATIENCE:?}", self.victim);
            sleep(Duration::from_millis(50)).await;
        }
    }
}

fn sigkill(pid: u64) -> anyhow::Result<()> {
    let killed = std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status()?;
    anyhow::ensure!(killed.success(), "process {pid} cannot be killed");
    Ok(())
}

/// Sends FLUSHALL as Redis's inline command.
async fn flush(url: &str) -> anyhow::Result<()> {
    let address = url.trim_start_matches("redis://").split('/').next().unwrap_or_default();
    let mut stream = TcpStream::connect(address).await.context("Redis does not answer")?;
    stream.write_all(b"FLUSHALL\r\n").await?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await?;
    anyhow::ensure!(&answer == b"+OK\r\n", "FLUSHALL was refused");
    Ok(())
}

/// Plays the journey once per victim and reports what a client saw of it.
pub(crate) async fn run(folder: &Path, victims: &[String], every: usize) -> anyhow::Result<()> {
    let songs = SongFile::choose(Path::new("."));
    for victim in VICTIMS.into_iter().filter(|name| victims.is_empty() || victims.iter().any(|asked| asked == name)) {
        let stack = RunningStack::read(folder)?;
        let started = Instant::now();
        let mut killer = Killer {
            folder: folder.to_owned(),
            victim,
            every: every.max(1),
            steps: 0,
            kills: 0,
            unavailable: 0,
            unclear: Vec::new(),
            dead: None,
        };
        play(&places(&stack), &songs, &mut killer).await.with_context(|| format!("while {victim} was killed"))?;
        killer.alive().await?;
        anyhow::ensure!(killer.unclear.is_empty(), "answers that are no clear 503: {:#?}", killer.unclear);
        anyhow::ensure!(killer.kills > 0, "{victim} was never killed");
        anyhow::ensure!(
            killer.unavailable > 0 || !NEEDED.contains(&victim),
            "{victim} was killed {} times and nobody noticed",
            killer.kills
        );
        everything_was_delivered(&stack.database_admin_url()).await?;
        say(&format!(
            "{victim:<18} killed {} times, Redis flushed once; {} clear 503s; the journey reached its end in {:.1} s",
            killer.kills,
            killer.unavailable,
            started.elapsed().as_secs_f64()
        ));
    }
    Ok(())
}

/// Waits until no message is pending in any outbox and none was given up.
async fn everything_was_delivered(database: &str) -> anyhow::Result<()> {
    let client = kit_pg::bootstrap::open(database).await?;
    let schemas =
        crate::migrate::SERVICES.map(|(_, name, _)| format!("SELECT id FROM {name}.outbox WHERE state <> 'sent'"));
    let sql = format!("SELECT count(*) FROM ({}) AS waiting", schemas.join(" UNION ALL "));
    let deadline = Instant::now() + PATIENCE;
    loop {
        let waiting: i64 = client.query_one(&sql, &[]).await?.get(0);
        if waiting == 0 {
            return Ok(());
        }
        anyhow::ensure!(Instant::now() < deadline, "{waiting} messages were not delivered");
        sleep(Duration::from_millis(100)).await;
    }
}
