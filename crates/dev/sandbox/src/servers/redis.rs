use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use super::programs::redis_program;
use super::spawn;

/// How a private Redis is set up.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// The folder of its log.
    pub folder: PathBuf,
    pub port: u16,
}

/// A running private Redis. It keeps nothing on disk: nothing in Redis may matter after a restart.
#[derive(Debug)]
pub struct Redis {
    child: Child,
    port: u16,
}

impl Redis {
    /// Starts it and waits until it accepts connections.
    ///
    /// # Errors
    /// When Redis is missing or does not come up in 10 s.
    pub async fn start(options: &RedisOptions) -> anyhow::Result<Self> {
        fs::create_dir_all(&options.folder)?;
        let output = File::options().create(true).append(true).open(options.folder.join("redis.log"))?;
        let mut command = spawn::dying_with_us("TERM", &[], redis_program()?);
        command.args(["--port", &options.port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.args(["--maxmemory-policy", "noeviction"]);
        command.current_dir(&options.folder).stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = spawn::spawn(command).context("Redis cannot be started")?;
        let mut server = Self { child, port: options.port };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", server.port)).await.is_err() {
            let ended = server.child.try_wait()?.is_some();
            anyhow::ensure!(!ended && Instant::now() < deadline, "Redis on port {} did not come up", server.port);
            sleep(Duration::from_millis(20)).await;
        }
        Ok(server)
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// The process id, for measurements.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops it and waits.
    pub fn stop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.stop();
    }
}
