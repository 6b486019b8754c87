use std::path::Path;
use std::time::Duration;

use devstack::journey::{Places, SongFile, Watcher, play};

use crate::running::RunningStack;
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

/// The addresses that the journey uses on a running stack.
pub(crate) fn places(stack: &RunningStack) -> Places {
    Places {
        gateway: stack.url("gateway"),
        mailbox: stack.url("mailbox"),
        root_email: DEMO_ROOT.1.to_owned(),
        root_password: DEMO_ROOT.2.to_owned(),
    }
}

/// Plays the journey against the stack that `songlist dev` runs.
pub(crate) async fn run(folder: &Path) -> anyhow::Result<()> {
    let stack = RunningStack::read(folder)?;
    let songs = SongFile::choose(Path::new("."));
    say(&format!("songs: {}", songs.path.display()));
    let mut printer = Printer(0);
    play(&places(&stack), &songs, &mut printer).await?;
    say(&format!("{} steps, all as they should be", printer.0));
    Ok(())
}
