//! Logs: as JSON or plain text, to stdout and optionally to a file that rotates every day. They contain no personal
//! data.

use std::path::Path;

use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
use tracing_appender::rolling::{InitError, RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::writer::MakeWriterExt;

use crate::env::Env;

/// How this process logs.
#[derive(Clone, Debug)]
pub struct LogConfig {
    json: bool,
    level: String,
    file: Option<String>,
}

impl LogConfig {
    /// Reads `LOG_FORMAT`, `LOG_LEVEL` and `LOG_FILE`.
    pub fn from_env(env: &mut Env) -> Self {
        Self {
            json: env.choice("LOG_FORMAT", &["text", "json"], "text", "Log lines: text or json") == "json",
            level: env.text("LOG_LEVEL", "info", "Log level, or filter directives such as info,payments_service=debug"),
            file: env.opt("LOG_FILE", "Also log into this file; a date is appended and a new one begins every day"),
        }
    }

    /// Installs the subscriber of the process. The guard flushes the file when it is dropped, so keep it until the end.
    pub fn install(&self) -> Option<WorkerGuard> {
        let filter =
            EnvFilter::try_new(directives(&self.level)).unwrap_or_else(|_bad| EnvFilter::new(directives("info")));
        let opened = self.file.as_deref().map(|path| rotating(Path::new(path)));
        let (file, guard, fault) = match opened {
            Some(Ok((file, guard))) => (Some(file), Some(guard), None),
            Some(Err(error)) => (None, None, Some(error)),
            None => (None, None, None),
        };
        let builder = tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_ansi(false);
        let outcome = match (self.json, file) {
            (true, None) => builder.json().flatten_event(true).try_init(),
            (true, Some(file)) => builder.json().flatten_event(true).with_writer(std::io::stdout.and(file)).try_init(),
            (false, None) => builder.try_init(),
            (false, Some(file)) => builder.with_writer(std::io::stdout.and(file)).try_init(),
        };
        if let Err(error) = outcome {
            tracing::warn!(%error, "logging was already set up");
        }
        // A service that cannot write its log file serves all the same, and logs the fault.
        if let Some(error) = fault {
            tracing::error!(alarm = "log_file", %error, "LOG_FILE cannot be written");
        }
        guard
    }
}

/// Writes the log lines of this process to `writer` in the JSON format of production, for a test that reads them. `level` is
/// as in `LOG_LEVEL`. Nothing changes when a subscriber is installed already.
pub fn install_to<W>(level: &str, writer: W)
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let filter = EnvFilter::new(directives(level));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_ansi(false);
    let _already_installed = builder.json().flatten_event(true).with_writer(writer).try_init();
}

/// Our own crates, as tracing names them.
const OURS: [&str; 15] = [
    "auth_service",
    "cli",
    "devstack",
    "gateway",
    "kit",
    "kit_pg",
    "kit_redis",
    "outbox",
    "payments_service",
    "rpc",
    "sandbox",
    "scheduler_service",
    "songlist_service",
    "testkit",
    "tokens",
];

/// The filter for a level or directives: a level without a name is that of our own crates. Libraries log warnings unless
/// they are named, and the mail library never more than that, because it writes whole mails with their codes.
fn directives(given: &str) -> String {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let (levels, named): (Vec<&str>, Vec<&str>) = given
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty() && !part.starts_with('['))
        .partition(|part| LEVELS.contains(&part.to_ascii_lowercase().as_str()));
    let level = levels.last().copied().unwrap_or("info");
    let mut all = vec!["warn".to_owned()];
    all.extend(OURS.iter().map(|name| format!("{name}={level}")));
    all.extend(named.iter().filter(|part| !part.starts_with("lettre")).map(|part| (*part).to_owned()));
    all.push("lettre=warn".to_owned());
    all.join(",")
}

/// A log file that rotates every day, written by a thread of its own.
fn rotating(path: &Path) -> Result<(NonBlocking, WorkerGuard), InitError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let file = RollingFileAppender::builder().rotation(Rotation::DAILY).filename_prefix(name).build(folder)?;
    Ok(tracing_appender::non_blocking(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sf_05_libraries_log_warnings_unless_named_and_the_mail_library_always() {
        let filter = directives("debug");
        assert!(filter.starts_with("warn,") && filter.contains("auth_service=debug") && filter.contains("kit=debug"));
        let filter = directives("info,hyper=debug,lettre=trace,payments_service=trace");
        assert!(filter.contains("hyper=debug") && filter.ends_with("payments_service=trace,lettre=warn"), "{filter}");
        assert!(!filter.contains("lettre=trace") && filter.contains("gateway=info"), "{filter}");
        assert!(!directives("info,[request]=trace").contains("[request]"), "a span of any library");
        assert!(directives("debug,hyper").contains("auth_service=debug"), "a name without a level is no level");
        assert!(EnvFilter::try_new(directives("trace,tonic[call]=debug")).is_ok());
    }
}
