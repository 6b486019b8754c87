use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};

type Job = (Command, Sender<std::io::Result<Child>>);

/// A command whose process is sent `signal` (such as TERM) when this process ends, for whatever reason.
pub(super) fn dying_with_us(signal: &str, extra: &[&str], program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", signal]).args(extra).arg("--").arg(program);
    // In a process group of its own: Ctrl-C reaches only the owner, which stops its servers last.
    command.process_group(0);
    command
}

/// Starts a program that is sent `signal` when this process ends.
///
/// # Errors
/// When it cannot be started.
pub fn spawn_until_we_end(
    signal: &str,
    program: impl AsRef<OsStr>,
    set_up: impl FnOnce(&mut Command),
) -> std::io::Result<Child> {
    let mut command = dying_with_us(signal, &[], program);
    set_up(&mut command);
    spawn(command)
}

/// The kernel sends the death signal when the *thread* that started the child ends, so all children are started by one
/// thread that lives as long as the process.
pub(super) fn spawn(command: Command) -> std::io::Result<Child> {
    static SPAWNER: OnceLock<Sender<Job>> = OnceLock::new();
    let gone = || std::io::Error::other("the spawner thread is gone");
    let spawner = SPAWNER.get_or_init(|| {
        let (jobs, inbox) = channel::<Job>();
        std::thread::spawn(move || {
            for (mut command, reply) in inbox {
                let _ = reply.send(command.spawn());
            }
        });
        jobs
    });
    let (reply, answer) = channel();
    spawner.send((command, reply)).map_err(|_gone| gone())?;
    answer.recv().map_err(|_gone| gone())?
}
