//! `songlist dev` with real processes: the commands behind `make run`, `make demo` and `make chaos`.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::canary::keeps_secrets;

const LISTENERS: [&str; 14] = [
    "GATEWAY_HTTP_ADDR",
    "PAYMENTS_WEBHOOK_ADDR",
    "SANDBOX_WEB_ADDR",
    "SANDBOX_SMTP_ADDR",
    "SANDBOX_RAZORPAY_ADDR",
    "AUTH_GRPC_ADDR",
    "SONGLIST_GRPC_ADDR",
    "PAYMENTS_GRPC_ADDR",
    "SCHEDULER_GRPC_ADDR",
    "GATEWAY_OPS_ADDR",
    "AUTH_OPS_ADDR",
    "SONGLIST_OPS_ADDR",
    "PAYMENTS_OPS_ADDR",
    "SCHEDULER_OPS_ADDR",
];

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

fn songlist(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_songlist"));
    command.args(arguments).current_dir(project()).stdin(Stdio::null());
    // Tests must not use servers that the environment or .env names: one of these tests flushes its Redis.
    command.env("REDIS_URL", "").env("DATABASE_ADMIN_URL", "");
    command
}

/// A running `songlist dev` with ports and a folder of its own.
pub(crate) struct Dev {
    child: Child,
    lines: Receiver<String>,
    pub(crate) folder: PathBuf,
    ports: Vec<(&'static str, u16)>,
}

impl Dev {
    fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with other variables of the environment.
    pub(crate) fn start_with(variables: &[(&str, &str)]) -> Self {
        let folder = project().join("target/test-servers").join(kit::ids::random().simple().to_string());
        let ports = LISTENERS.map(|name| (name, sandbox::servers::free_port().unwrap())).to_vec();
        let mut dev = Self { child: Command::new("true").spawn().unwrap(), lines: channel().1, folder, ports };
        let mut command = dev.command();
        command.envs(variables.iter().copied());
        dev.child = command.stdout(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(dev.child.stdout.take().unwrap());
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        dev.lines = lines;
        dev
    }

    fn command(&self) -> Command {
        let mut command = songlist(&["dev", "--dev-dir", self.folder.to_str().unwrap()]);
        command.envs(self.ports.iter().map(|(name, port)| (*name, format!("127.0.0.1:{port}"))));
        command
    }

    /// What it has printed by the time it is ready.
    pub(crate) fn table(&self) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut table = String::new();
        while !table.contains("Ctrl-C stops everything") {
            let line = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now()));
            table.push_str(&line.unwrap_or_else(|_| panic!("not up after a minute:\n{table}")));
            table.push('\n');
        }
        table
    }

    /// The URLs of the ports for operators, with the name of each variable.
    pub(crate) fn ops_urls(&self) -> Vec<(&'static str, String)> {
        let ops = self.ports.iter().filter(|(name, _)| name.ends_with("_OPS_ADDR"));
        ops.map(|(name, port)| (*name, format!("http://127.0.0.1:{port}"))).collect()
    }

    pub(crate) fn demo_json(&self) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.folder.join("demo.json")).unwrap()).unwrap()
    }

    /// Runs another `songlist` command against it.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        songlist(arguments).args(["--dev-dir", self.folder.to_str().unwrap()]).output().unwrap()
    }

    /// Sends SIGINT, as Ctrl-C does; returns the exit code.
    fn interrupt(&mut self) -> Option<i32> {
        signal(self.child.id().into(), "INT");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.interrupt();
        }
        // The logs of a failing test are kept.
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// Imports a file with a row that is refused, twice.
fn imports_a_file(dev: &Dev, admin_url: &str) {
    let file = dev.folder.join("songs.csv");
    std::fs::write(&file, "Song Clean,artist\nImported by hand,Somebody\n,Nobody\n").unwrap();
    let url = kit_pg::bootstrap::with_role(admin_url, "songlist", "songlist_rw", "songlist_rw_dev").unwrap();
    for created in [1, 0] {
        let mut import = songlist(&["songs", "import", "--genre", "Rock", "--column", "title=Song Clean"]);
        let done = import.arg(&file).env("SONGLIST_DATABASE_URL", &url).output().unwrap();
        assert_eq!(done.status.code(), Some(1), "a row was refused: {}", text(&done));
        let report = format!("2 rows: {created} created, {} there already, 1 refused", 1 - created);
        assert!(text(&done).contains(&report), "{}", text(&done));
        assert!(text(&done).contains("row 2: title: "), "{}", text(&done));
    }
}

fn signal(pid: u64, name: &str) -> bool {
    let kill = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).stderr(Stdio::null()).status();
    kill.unwrap().success()
}

pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn one_command_runs_everything_plays_the_demo_and_leaves_nothing_behind() {
    let mut dev = Dev::start();
    let table = dev.table();
    let demo = dev.demo_json();
    for url in ["gateway", "docs", "webhook", "mailbox", "smtp", "razorpay"] {
        let url = demo["urls"][url].as_str().unwrap();
        assert!(table.contains(url), "{url} is not in the table");
    }
    for (login, role) in demo["logins"].as_array().unwrap().iter().zip(["SUPER_ADMIN", "ADMIN", "LISTENER"]) {
        assert_eq!(login["role"], role);
        for field in ["email", "username", "password"] {
            assert!(login[field].as_str().is_some_and(|text| !text.is_empty()), "{role}: {field}");
        }
        assert!(login.get("tenant_id").is_some() && login.get("tenant_slug").is_some());
        assert!(table.contains(login["email"].as_str().unwrap()));
    }
    for field in ["key_id", "key_secret", "webhook_secret"] {
        assert!(demo["razorpay"][field].is_string());
    }
    assert_eq!(table.matches("  curl ").count(), 3);

    let beside = dev.command().output().unwrap();
    assert_eq!(beside.status.code(), Some(1));
    for (name, port) in &dev.ports {
        assert!(text(&beside).contains(&format!("127.0.0.1:{port} (set {name}")), "a taken port is named");
    }

    let played = dev.run(&["demo"]);
    assert!(played.status.success(), "{}", text(&played));
    assert!(text(&played).contains("all as they should be"));
    let generated = dev.run(&["gen", "--tenants", "3", "--songs", "300"]);
    assert!(text(&generated).contains("300 songs and their lists"), "{}", text(&generated));
    imports_a_file(&dev, demo["database_admin_url"].as_str().unwrap());
    keeps_secrets(&dev);

    let pids: Vec<u64> = demo["pids"].as_object().unwrap().values().map(|pid| pid.as_u64().unwrap()).collect();
    assert_eq!(pids.len(), 8, "five services, sandbox, PostgreSQL and Redis");
    assert_eq!(dev.interrupt(), Some(0));
    for pid in pids {
        assert!(!signal(pid, "0"), "process {pid} is left");
    }
    for (name, port) in &dev.ports {
        assert!(TcpListener::bind(("127.0.0.1", *port)).is_ok(), "{name} still listens");
    }
    let after = dev.run(&["demo"]);
    assert!(text(&after).contains("nothing runs in"), "{}", text(&after));
}

#[test]
fn the_journey_survives_sigkill_of_any_service_and_a_flushed_redis() {
    let dev = Dev::start();
    dev.table();
    let chaos = dev.run(&["chaos", "--every", "6"]);
    assert!(chaos.status.success(), "{}", text(&chaos));
    for victim in ["auth-service", "songlist-service", "payments-service", "scheduler-service", "gateway"] {
        assert!(text(&chaos).contains(&format!("{victim} ")), "{}", text(&chaos));
    }
}
