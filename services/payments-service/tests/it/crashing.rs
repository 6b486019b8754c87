//! The service as a process, killed at named points while payments run.

use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use kit::Clock;
use kit::caller::Caller;
use kit::ids::TenantId;
use kit_pg::bootstrap::open;
use payments_service::MIGRATIONS;
use proto::common::RunRequest;
use proto::common::job_runner_client::JobRunnerClient;
use proto::payments::payments_client::PaymentsClient;
use proto::payments::{CreateLinkRequest, Payment, RefundPaymentRequest};
use sandbox::razorpay::{self, Razorpay, RazorpayOptions};
use sandbox::servers::free_port;
use serde_json::Value;
use testkit::caller::{admin, call, peer, super_admin};
use testkit::{TestDb, schema};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// The points at which the service is killed, in the order in which a payment passes them.
const POINTS: [&str; 14] = [
    "intent_committed",
    "link_created",
    "adopted",
    "event_before_commit",
    "event_stored",
    "events_claimed",
    "applying",
    "applied",
    "asking",
    "asked",
    "settling",
    "settled",
    "refund_wanted",
    "refund_sent",
];
/// The signal with which `abort` ends a process.
const ABORTED: i32 = 6;
/// How long something may take that is sure to come.
const PATIENCE: Duration = Duration::from_secs(60);
/// Payments that run at least.
const PAYMENTS: usize = 200;

/// The addresses of a service that comes and goes, and of what it uses.
struct World {
    db: TestDb,
    razorpay: SocketAddr,
    grpc: SocketAddr,
    webhook: SocketAddr,
    log: PathBuf,
    http: reqwest::Client,
    _shutdown: kit::lifecycle::Shutdown,
}

impl World {
    async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (db, shutdown) = (TestDb::new("payments", MIGRATIONS).await.unwrap(), kit::lifecycle::Shutdown::new());
        let port = || SocketAddr::from(([127, 0, 0, 1], free_port().unwrap()));
        let (grpc, webhook) = (port(), port());
        let account = Razorpay::new(RazorpayOptions {
            key_id: "rzp_test_sandbox0000001".to_owned(),
            key_secret: "sandbox_key_secret_0001".to_owned(),
            webhook_secret: "sandbox_webhook_secret_0001".to_owned(),
            webhook_url: format!("http://{webhook}/api/v1/payments/webhook/razorpay/"),
            clock: Clock::system(),
        });
        let account = account.unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let razorpay = razorpay::start(account, any, &shutdown).await.unwrap();
        let log = std::env::temp_dir().join(format!("{}.log", db.schema));
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { db, razorpay, grpc, webhook, log, http, _shutdown: shutdown }
    }

    /// Starts the service; with a name and a number it ends when it passes this point for the n-th time.
    async fn start(&self, crash: Option<(&str, usize)>) -> Running {
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let nobody = "http://127.0.0.1:1";
        let mut command = Command::new(env!("CARGO_BIN_EXE_payments-service"));
        command
            .env("PAYMENTS_GRPC_ADDR", self.grpc.to_string())
            .env("PAYMENTS_WEBHOOK_ADDR", self.webhook.to_string())
            .env("PAYMENTS_OPS_ADDR", format!("127.0.0.1:{}", free_port().unwrap()))
            .env("PAYMENTS_DATABASE_URL", self.db.url().unwrap())
            .env("RAZORPAY_BASE_URL", format!("http://{}/v1", self.razorpay))
            .env("AUTH_GRPC_URL", nobody)
            .env("SONGLIST_GRPC_URL", nobody)
            .env("LOG_LEVEL", "debug")
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null());
        if let Some((point, times)) = crash {
            command.env("PAYMENTS_CRASH_AT", format!("{point}:{times}"));
        }
        let mut child = Running(command.spawn().unwrap());
        let end = Instant::now() + PATIENCE;
        // It may be killed in its first moment, by events that have waited for it.
        while TcpStream::connect(self.grpc).await.is_err() && child.ended().is_none() {
            assert!(Instant::now() < end, "the service does not start");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        child
    }

    fn payments(&self) -> PaymentsClient<kit::grpc::Peer> {
        PaymentsClient::new(peer("gateway", "payments", self.grpc).unwrap())
    }

    async fn sql(&self, statement: &str) {
        let set = format!("SET search_path = {}; {statement}", self.db.schema);
        open(self.db.admin_url()).await.unwrap().batch_execute(&set).await.unwrap();
    }

    async fn poll(&self) {
        let request = call(&Caller::system("scheduler"), RunRequest { name: "payments.poll_pending".to_owned() });
        let scheduler = peer("scheduler", "payments", self.grpc).unwrap();
        let _ = JobRunnerClient::new(scheduler).run(request).await;
    }

    /// One tenant's purchase, with a client that tries again until it is answered. Every third one is refunded.
    async fn buy(&self, number: usize) {
        let boss = admin(TenantId::new());
        let payment: Payment = loop {
            let answer = self.payments().create_link(call(&boss, CreateLinkRequest {})).await;
            match answer.ok().and_then(|answer| answer.into_inner().payment) {
                Some(payment) => break payment,
                None => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        };
        let page = self.http.post(format!("{}/pay", payment.payment_link_url)).form(&[("outcome", "success")]);
        assert!(page.send().await.unwrap().status().as_u16() < 400);
        if number.is_multiple_of(3) {
            // However often it is asked for: it is refunded once.
            for _ in 0..50 {
                let request = call(&super_admin(), RefundPaymentRequest { id: payment.id.clone() });
                if self.payments().refund(request).await.is_ok() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    async fn truth(&self) -> Value {
        self.http.get(format!("http://{}/sandbox/truth", self.razorpay)).send().await.unwrap().json().await.unwrap()
    }

    async fn count(&self, rows: &str) -> i64 {
        schema::count(&self.db, &rows.replace('%', &self.db.schema)).await.unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_file(&self.log);
        }
    }
}

/// A process that ends with the test, also when it fails.
struct Running(Child);

impl Running {
    fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Kills the service at each point, some passages after its start, until the payments are through.
async fn kill_at_every_point(world: &World, mut enough: watch::Receiver<bool>, killed: &AtomicUsize) {
    for round in 0.. {
        for point in POINTS {
            let mut child = world.start(Some((point, 1 + round % 5))).await;
            let end = Instant::now() + PATIENCE;
            let status = loop {
                if let Some(status) = child.ended() {
                    break status;
                }
                assert!(Instant::now() < end, "{point} is not passed");
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(20)) => world.poll().await,
                    _ = enough.wait_for(|enough| *enough) => return,
                }
            };
            assert_eq!(status.signal(), Some(ABORTED), "{point}: {status}");
            killed.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// The number of links with money at Razorpay.
fn captured_in(truth: &Value) -> i64 {
    let links = truth.get("links").and_then(Value::as_array).unwrap();
    let captured = links.iter().filter(|link| link.get("captured").and_then(Value::as_i64) > Some(0));
    i64::try_from(captured.count()).unwrap()
}

fn refunds_in(truth: &Value) -> i64 {
    i64::try_from(truth.get("refunds").and_then(Value::as_array).unwrap().len()).unwrap()
}

/// Waits until the service knows of all money, and of all that went back; what really happened then.
async fn settled(world: &World) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        // Time passes: what was claimed by a process that died is claimed again, and the poll looks again.
        world.sql("UPDATE webhook_events SET next_attempt_at = now() WHERE state = 'pending'").await;
        world.sql("UPDATE payments SET check_after = now() WHERE check_after > now()").await;
        world.poll().await;
        let known = world.count("payments WHERE status IN ('ACTIVATED', 'REFUNDED')").await;
        let paid_back = world.count("payments WHERE status = 'REFUNDED'").await;
        let waiting = world.count("webhook_events WHERE state = 'pending'").await;
        let truth = world.truth().await;
        let (captured, refunded) = (captured_in(&truth), refunds_in(&truth));
        if (known, paid_back, waiting) == (captured, refunded, 0) {
            return truth;
        }
        assert!(
            Instant::now() < end,
            "{known} of {captured} known, {paid_back} of {refunded} paid back, {waiting} events wait"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_18_and_case_67_a_service_that_is_killed_at_every_point_activates_each_payment_once_and_logs_no_secret() {
    let world = World::new().await;
    let ((done, enough), killed) = (watch::channel(false), AtomicUsize::new(0));
    let buying = async {
        let mut purchases = Box::pin(stream::iter(0..).map(|number| world.buy(number)).buffer_unordered(8));
        let mut bought = 0;
        while bought < PAYMENTS || killed.load(Ordering::SeqCst) < POINTS.len() {
            purchases.next().await;
            bought += 1;
        }
        done.send_replace(true);
        bought
    };
    let (bought, ()) = tokio::join!(buying, kill_at_every_point(&world, enough, &killed));
    let child = world.start(None).await;
    let truth = settled(&world).await;
    let captured = captured_in(&truth);
    assert!(captured >= i64::try_from(bought).unwrap(), "{captured} of {bought}");
    let entitled = world.count("payments WHERE status IN ('ACTIVATED', 'REFUNDED')").await;
    assert_eq!(entitled, captured, "every captured payment, and none besides");
    assert_eq!(world.count("ledger_lines WHERE entry ~ '^capture:' AND account = 'revenue'").await, captured);
    let changes = "(SELECT count(*) FROM %.payment_changes WHERE payment_id = p.id AND status = 'ACTIVATED')";
    assert_eq!(world.count(&format!("payments p WHERE {changes} > 1")).await, 0, "one activation each");
    let activated = world.count(&format!("payments p WHERE {changes} = 1")).await;
    assert!(activated >= captured / 2, "{activated} of {captured}");
    assert_eq!(world.count("receipts").await, activated, "one receipt each");
    assert_eq!(world.count("outbox WHERE topic = 'mail.requested'").await, activated, "and one mail");
    let refunded = "payments WHERE status = 'REFUNDED' AND refunded_minor = amount_minor";
    assert_eq!(world.count(refunded).await, refunds_in(&truth), "each refund was made once");
    let unbalanced = "ledger_lines l WHERE (SELECT sum(amount_minor) FROM %.ledger_lines WHERE entry = l.entry) <> 0";
    assert_eq!(world.count(unbalanced).await, 0);
    drop(child);
    let log = std::fs::read_to_string(&world.log).unwrap();
    assert!(log.lines().count() > 100, "the log was kept: {log}");
    for secret in ["sandbox_key_secret", "sandbox_webhook_secret", "9876543210", "payer@example", "payments_rw_dev"] {
        assert!(!log.contains(secret), "{secret} stands in the log");
    }
}
