use std::fs::{File, create_dir_all};
use std::path::Path;
use std::process::{Child, Stdio};

use anyhow::Context;
use sandbox::servers::{free_port, spawn_until_we_end};

use crate::eventually;

/// Where `deploy/dev/install-moto.sh` puts the store.
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../target/moto/bin/moto_server");
const LOG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../target/test-servers");

/// An S3-compatible store (moto) of one test, without buckets at first; it ends with this value.
#[derive(Debug)]
pub struct S3 {
    /// Its URL.
    pub endpoint: String,
    child: Child,
}

impl S3 {
    /// Starts it and waits until it accepts connections.
    ///
    /// # Errors
    /// When moto is not installed.
    pub async fn start() -> anyhow::Result<Self> {
        anyhow::ensure!(Path::new(PROGRAM).exists(), "moto is missing: run `sh deploy/dev/install-moto.sh`");
        let port = free_port()?;
        create_dir_all(LOG)?;
        let log = File::options().create(true).append(true).open(Path::new(LOG).join("moto.log"))?;
        let errors = log.try_clone()?;
        let child = spawn_until_we_end("TERM", PROGRAM, |command| {
            command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
            command.stdin(Stdio::null()).stdout(log).stderr(errors);
        });
        let store =
            Self { endpoint: format!("http://127.0.0.1:{port}"), child: child.context("moto cannot be started")? };
        eventually("the S3-compatible store listens", || async {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        Ok(store)
    }

    /// Ends it: from now on nobody listens.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}
