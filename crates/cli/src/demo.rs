use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use devstack::journey::{Places, SongFile, Watcher, play};
use serde_json::Value;

use crate::say;
use crate::seed::DEMO_ROOT;

struct Printer(u32);

impl Watcher for Printer {
    fn step(&mut self, name: &str, status: u16, took: Duration) {
        self.0 += 1;
        say(&format!("{:>3}  {status}  {:>7.1} ms  {name}", self.0, took.as_secs_f64() * 1_000.0));
    }

    async fn between(&mut self, _name: &str) -> anyhow::Result<()> {
        Ok(())
    }
}

/// Plays the journey against the stack that `songlist dev` runs.
pub(crate) async fn run() -> anyhow::Result<()> {
    let text = std::fs::read_to_string(".dev/demo.json").context("nothing runs here: type `make run` first")?;
    let demo: Value = serde_json::from_str(&text)?;
    let url =
        |name: &str| demo.pointer(&format!("/urls/{name}")).and_then(Value::as_str).unwrap_or_default().to_owned();
    let places = Places {
        gateway: url("gateway"),
        mailbox: url("mailbox"),
        root_email: DEMO_ROOT.1.to_owned(),
        root_password: DEMO_ROOT.2.to_owned(),
    };
    let songs = SongFile::choose(Path::new("."));
    say(&format!("songs: {}", songs.path.display()));
    let mut printer = Printer(0);
    play(&places, &songs, &mut printer).await?;
    say(&format!("{} steps, all as they should be", printer.0));
    Ok(())
}
