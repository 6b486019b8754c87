use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use tokio::time::{Instant, sleep};

use super::programs::postgres_program;
use super::spawn;

/// When this process is root, PostgreSQL runs as the user of its package, with the right to read (not write) below a
/// home folder of mode 0700.
const AS_POSTGRES: [&str; 5] = [
    "--reuid=postgres",
    "--regid=postgres",
    "--init-groups",
    "--inh-caps=+dac_read_search",
    "--ambient-caps=+dac_read_search",
];

/// How a private PostgreSQL is set up.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// The folder of the cluster, the log and the superuser's password.
    pub folder: PathBuf,
    pub port: u16,
    /// False for throw-away servers: nothing is flushed to the disk, and PostgreSQL keeps its default of shared memory.
    pub durable: bool,
}

/// A running private PostgreSQL.
#[derive(Debug)]
pub struct Postgres {
    child: Child,
    port: u16,
    password: String,
}

impl Postgres {
    /// Makes the cluster when there is none (UTF-8, with the locale C.UTF-8, in which trigrams work for every script),
    /// starts it and waits until it accepts connections.
    ///
    /// # Errors
    /// When PostgreSQL is missing, the cluster cannot be made, or it is not ready in 30 s; the message has the end of
    /// the log.
    pub async fn start(options: &PostgresOptions) -> anyhow::Result<Self> {
        let (data, log) = (options.folder.join("data"), options.folder.join("postgres.log"));
        let secret = options.folder.join("superuser.password");
        fs::create_dir_all(&options.folder).with_context(|| format!("cannot make {}", options.folder.display()))?;
        if !data.join("PG_VERSION").exists() {
            init(options, &data, &secret)?;
        }
        let password =
            fs::read_to_string(&secret).context("the superuser's password cannot be read")?.trim().to_owned();
        let mut command = as_its_user("INT", &postgres_program("postgres")?);
        command.arg("-D").arg(&data).args(["-p", &options.port.to_string()]);
        let buffers = format!("shared_buffers={}MB", shared_buffers_mib());
        let mut settings =
            vec!["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200", "timezone=UTC"];
        if options.durable {
            // What was in memory when it stopped is read again when it starts, or the first searches of long lists wait for the disk.
            settings.extend([&buffers, "shared_preload_libraries=pg_prewarm"]);
        } else {
            settings.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_wal_size=256MB"]);
        }
        for setting in settings {
            command.args(["-c", setting]);
        }
        let output = File::options().create(true).append(true).open(&log)?;
        command.current_dir("/").stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = spawn::spawn(command).context("PostgreSQL cannot be started")?;
        let mut server = Self { child, port: options.port, password };
        server.wait_until_ready(&log).await?;
        Ok(server)
    }

    async fn wait_until_ready(&mut self, log: &Path) -> anyhow::Result<()> {
        let probe = postgres_program("pg_isready")?;
        let deadline = Instant::now() + Duration::from_secs(30);
        let port = self.port.to_string();
        loop {
            let ready =
                tokio::process::Command::new(&probe).args(["-q", "-h", "127.0.0.1", "-p", &port]).status().await?;
            if ready.success() {
                return Ok(());
            }
            let ended = self.child.try_wait()?;
            if ended.is_some() || Instant::now() > deadline {
                let text = fs::read_to_string(log).unwrap_or_default();
                let tail: Vec<&str> = text.lines().rev().take(5).collect();
                anyhow::bail!("PostgreSQL on port {port} did not come up; its log ends:\n{}", tail.join("\n"));
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// The superuser's URL of a database on this server.
    pub fn admin_url(&self, database: &str) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/{database}?sslmode=disable", self.password, self.port)
    }

    /// The process id, for measurements.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops it (fast shutdown: open transactions are rolled back) and waits.
    pub fn stop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A quarter of the machine's memory, as PostgreSQL's documentation of `shared_buffers` recommends, but at most 2 GiB: containers may
/// have less memory than the machine. Pages of it are taken when they are first used.
fn shared_buffers_mib() -> u64 {
    const MIB: u64 = 1024 * 1024;
    let machine = rustix::system::sysinfo();
    let memory = machine.totalram.saturating_mul(machine.mem_unit.into());
    (memory / 4 / MIB).clamp(128, 2_048)
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn as_its_user(signal: &str, program: &Path) -> Command {
    spawn::dying_with_us(signal, if is_root() { &AS_POSTGRES } else { &[] }, program)
}

fn init(options: &PostgresOptions, data: &Path, secret: &Path) -> anyhow::Result<()> {
    let folder = &options.folder;
    // The cluster is made in another folder and renamed when it is complete, so that an interrupted run leaves no
    // broken one.
    let unfinished = &folder.join("data.unfinished");
    let _ = fs::remove_dir_all(unfinished);
    let _ = fs::remove_dir_all(data);
    fs::create_dir(unfinished)?;
    fs::write(secret, kit::ids::random().simple().to_string())?;
    fs::set_permissions(secret, Permissions::from_mode(0o600))?;
    if is_root() {
        let owned = Command::new("chown").arg("postgres:").args([folder, unfinished, secret]).status()?;
        anyhow::ensure!(owned.success(), "the user `postgres` is missing: is the distribution's PostgreSQL installed?");
    }
    let made = as_its_user("KILL", &postgres_program("initdb")?)
        .arg("-D")
        .arg(unfinished)
        .args(["--locale=C.UTF-8", "-E", "UTF8", "-U", "postgres", "-A", "scram-sha-256", "--pwfile"])
        .arg(secret)
        .args(if options.durable { &[][..] } else { &["--no-sync"] })
        .current_dir("/")
        .output()
        .context("initdb cannot be started")?;
    anyhow::ensure!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));
    fs::rename(unfinished, data)?;
    Ok(())
}
