use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use sandbox::servers::spawn_until_we_end;

use super::replicas::Replica;
use crate::say;

/// A process that stops by itself is started again after this time.
const PAUSE: Duration = Duration::from_millis(500);
/// Time to finish after SIGTERM.
const GRACE: Duration = Duration::from_secs(8);

struct One {
    replica: Replica,
    child: Child,
    died: Option<Instant>,
}

/// The running processes; dropping them stops them all.
pub(super) struct Children {
    folder: PathBuf,
    logs: PathBuf,
    variables: Vec<(String, String)>,
    all: Vec<One>,
}

impl Children {
    /// Starts the sandbox and then the services.
    pub(super) fn start(
        folder: &Path,
        logs: &Path,
        variables: &[(String, String)],
        replicas: &[Replica],
    ) -> anyhow::Result<Self> {
        let mut children =
            Self { folder: folder.to_owned(), logs: logs.to_owned(), variables: variables.to_vec(), all: Vec::new() };
        let sandbox = Replica {
            name: "sandbox".to_owned(),
            program: "sandbox",
            addresses: Vec::new(),
            lame_duck: Duration::ZERO,
        };
        for replica in std::iter::once(&sandbox).chain(replicas) {
            let child = children.spawn(replica)?;
            children.all.push(One { replica: replica.clone(), child, died: None });
        }
        Ok(children)
    }

    fn spawn(&self, replica: &Replica) -> anyhow::Result<Child> {
        let log = self.logs.join(format!("{}.log", replica.name));
        let log = File::options().create(true).append(true).open(log)?;
        let errors = log.try_clone()?;
        let program = self.folder.join(replica.program);
        let set_up = |command: &mut Command| {
            // In a process group of its own: Ctrl-C reaches only this process, which stops the others in order.
            command.envs(self.variables.iter().cloned()).process_group(0);
            command.envs(replica.addresses.iter().map(|(name, addr)| (*name, addr.to_string())));
            if !replica.lame_duck.is_zero() {
                command.env("SHUTDOWN_LAME_DUCK_MS", replica.lame_duck.as_millis().to_string());
            }
            command.stdin(Stdio::null()).stdout(log).stderr(errors);
        };
        spawn_until_we_end("TERM", &program, set_up)
            .with_context(|| format!("{} cannot be started; build first: cargo build --workspace", program.display()))
    }

    /// Process ids by name.
    pub(super) fn pids(&self) -> impl Iterator<Item = (&str, u32)> {
        self.all.iter().map(|one| (one.replica.name.as_str(), one.child.id()))
    }

    /// # Errors
    /// When a process has stopped; the message names it.
    pub(super) fn require_alive(&mut self) -> anyhow::Result<()> {
        for one in &mut self.all {
            let ended = one.child.try_wait()?;
            anyhow::ensure!(
                ended.is_none(),
                "{0} did not start; see {1}/{0}.log",
                one.replica.name,
                self.logs.display(),
            );
        }
        Ok(())
    }

    /// Starts processes again that have stopped by themselves; returns true when there was one.
    pub(super) fn restart_the_dead(&mut self) -> anyhow::Result<bool> {
        let mut due = Vec::new();
        for (index, one) in self.all.iter_mut().enumerate() {
            if one.died.is_none() && one.child.try_wait()?.is_some() {
                say(&format!("{} has stopped; it is started again", one.replica.name));
                one.died = Some(Instant::now());
            }
            if one.died.is_some_and(|at| at.elapsed() >= PAUSE) {
                due.push((index, one.replica.clone()));
            }
        }
        let restarted = !due.is_empty();
        for (index, replica) in due {
            let child = self.spawn(&replica)?;
            if let Some(one) = self.all.get_mut(index) {
                *one = One { replica, child, died: None };
            }
        }
        Ok(restarted)
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        for one in self.all.iter().rev() {
            let _ = Command::new("kill").args(["-TERM", &one.child.id().to_string()]).stderr(Stdio::null()).status();
        }
        let deadline = Instant::now() + GRACE;
        for one in &mut self.all {
            while one.child.try_wait().is_ok_and(|ended| ended.is_none()) && Instant::now() < deadline {
                #[expect(clippy::disallowed_methods, reason = "nothing else runs any more")]
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = one.child.kill();
            let _ = one.child.wait();
        }
    }
}
