use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use kit::Clock;
use kit::caller::Caller;
use kit::env::Env;
use kit::grpc::Peer;
use kit::ids::TenantId;
use kit::lifecycle::Shutdown;
use kit_pg::PgConfig;
use payments_service::{Addresses, App, Config, MIGRATIONS};
use proto::common::event_sink_client::EventSinkClient;
use proto::common::job_runner_client::JobRunnerClient;
use proto::common::{DeliverRequest, RunRequest};
use proto::payments::payments_client::PaymentsClient;
use proto::payments::subscriptions_client::SubscriptionsClient;
use proto::payments::webhooks_client::WebhooksClient;
use proto::payments::{
    CallbackRequest, CallbackResponse, CreateLinkRequest, CreateLinkResponse, GetPaymentRequest,
    GetSubscriptionRequest, Payment, PaymentStatus, ReceiveWebhookRequest, RefundPaymentRequest,
};
use ring::hmac;
use sandbox::razorpay::{self, Razorpay, RazorpayOptions};
use sandbox::servers::free_port;
use serde_json::{Value, json};
use testkit::caller::{admin, call, peer, super_admin};
use testkit::{FaultyLink, TestDb, eventually, schema};

use crate::process::Process;
use crate::replica::Replica;

/// payments-service with a schema and a Razorpay of its own, whose events arrive; the addresses of its peers do not answer. Nothing
/// polls but a test.
pub(crate) struct Payments {
    process: Mutex<Option<Process>>,
    webhook: SocketAddr,
    razorpay: SocketAddr,
    http: reqwest::Client,
    config: Config,
    shutdown: Shutdown,
    pub(crate) clock: Clock,
    pub(crate) db: TestDb,
}

impl Payments {
    pub(crate) async fn start() -> Self {
        Self::start_with([]).await
    }

    pub(crate) async fn start_with<const N: usize>(settings: [(&str, String); N]) -> Self {
        let db = TestDb::new("payments", MIGRATIONS).await.unwrap();
        let pg = db.config().unwrap();
        Self::start_of(db, pg, settings).await
    }

    /// With a link to the database that can be broken.
    pub(crate) async fn start_behind_a_link() -> (Self, FaultyLink) {
        let db = TestDb::new("payments", MIGRATIONS).await.unwrap();
        let mut url = reqwest::Url::parse(&db.url().unwrap()).unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        let link = FaultyLink::to(server).await.unwrap();
        url.set_ip_host(link.addr().ip()).unwrap();
        url.set_port(Some(link.addr().port())).unwrap();
        let pg = PgConfig::of_url(url.as_str(), "payments");
        (Self::start_of(db, pg, []).await, link)
    }

    async fn start_of<const N: usize>(db: TestDb, pg: PgConfig, settings: [(&str, String); N]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (clock, shutdown) = (Clock::movable(), Shutdown::new());
        let any = "127.0.0.1:0".parse().unwrap();
        let webhook = SocketAddr::from(([127, 0, 0, 1], free_port().unwrap()));
        let account = Razorpay::new(RazorpayOptions {
            key_id: "rzp_test_sandbox0000001".to_owned(),
            key_secret: "sandbox_key_secret_0001".to_owned(),
            webhook_secret: "sandbox_webhook_secret_0001".to_owned(),
            webhook_url: format!("http://{webhook}/api/v1/payments/webhook/razorpay/"),
            clock: clock.clone(),
        });
        let account = account.unwrap();
        let razorpay = razorpay::start(account, any, &shutdown).await.unwrap();
        let nobody = "http://127.0.0.1:1".to_owned();
        let own = [
            ("RAZORPAY_BASE_URL", format!("http://{razorpay}/v1")),
            ("AUTH_GRPC_URL", nobody.clone()),
            ("SONGLIST_GRPC_URL", nobody),
        ];
        let settings = own.into_iter().chain(settings);
        let mut config = Config::from_env(&mut Env::of(settings));
        (config.grpc_addr, config.ops_addr, config.webhook_addr) = (any, any, webhook);
        config.pg = pg;
        config.clock = clock.clone();
        let process = Mutex::new(Some(Process::start(&config).await));
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { http, config, process, webhook, razorpay, shutdown, clock, db }
    }

    /// The service as an operator's command line opens it.
    pub(crate) fn app(&self) -> App {
        App::new(self.config.clone()).unwrap()
    }

    fn addresses(&self) -> Addresses {
        self.process.lock().unwrap().as_ref().map(|process| process.addresses).unwrap()
    }

    /// The service as another service reaches it.
    fn as_seen_by(&self, caller: &'static str) -> Peer {
        peer(caller, "payments", self.addresses().grpc).unwrap()
    }

    /// The process ends wherever it is, and another one starts.
    pub(crate) async fn crash(&self) {
        let before = self.addresses();
        drop(self.process.lock().unwrap().take());
        let next = Process::start(&self.config).await;
        assert_ne!(next.addresses.grpc, before.grpc, "who waits for the one before is told");
        *self.process.lock().unwrap() = Some(next);
    }

    /// Another process of the service, which shares everything but what `change` changes.
    pub(crate) async fn replica(&self, change: impl FnOnce(&mut Config)) -> Replica {
        let mut config = self.config.clone();
        change(&mut config);
        Replica::start(config).await
    }

    /// The metrics, as an operator's monitoring reads them.
    pub(crate) async fn metrics(&self) -> String {
        self.http.get(format!("http://{}/metrics", self.addresses().ops)).send().await.unwrap().text().await.unwrap()
    }

    /// Posts to the sandbox of Razorpay.
    pub(crate) async fn razorpay(&self, path: &str, body: Value) -> Value {
        let url = format!("http://{}{path}", self.razorpay);
        let answer = self.http.post(url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    /// The same, which may be refused.
    pub(crate) async fn try_razorpay(&self, path: &str, body: Value) {
        self.http.post(format!("http://{}{path}", self.razorpay)).json(&body).send().await.unwrap();
    }

    /// Tries to pay a link, which may be closed.
    pub(crate) async fn try_pay(&self, payment: &Payment, outcome: &str) {
        let page = self.http.post(format!("{}/pay", payment.payment_link_url)).form(&[("outcome", outcome)]);
        page.send().await.unwrap();
    }

    /// What really happened at Razorpay.
    pub(crate) async fn truth(&self) -> Value {
        self.http.get(format!("http://{}/sandbox/truth", self.razorpay)).send().await.unwrap().json().await.unwrap()
    }

    /// Pays a link on the hosted page; returns the URL to which the browser is sent.
    pub(crate) async fn pay(&self, payment: &Payment, outcome: &str) -> Option<String> {
        let page = self.http.post(format!("{}/pay", payment.payment_link_url)).form(&[("outcome", outcome)]);
        let answer = page.send().await.unwrap();
        assert!(answer.status().as_u16() < 400, "{}", answer.status());
        answer.headers().get("location").map(|url| url.to_str().unwrap().to_owned())
    }

    /// Runs the job that asks Razorpay, as the scheduler does; returns its summary.
    pub(crate) async fn poll(&self) -> String {
        self.run("payments.poll_pending").await
    }

    /// Runs a job; returns its summary.
    pub(crate) async fn run(&self, job: &str) -> String {
        self.try_run(job).await.unwrap()
    }

    /// The same while the service may crash.
    pub(crate) async fn try_run(&self, job: &str) -> Result<String, tonic::Status> {
        let request = call(&Caller::system("scheduler"), RunRequest { name: job.to_owned() });
        let answer = JobRunnerClient::new(self.as_seen_by("scheduler")).run(request).await?;
        Ok(answer.into_inner().summary)
    }

    /// Moves the clock to where everything is due, and polls.
    pub(crate) async fn poll_later(&self, minutes: u64) -> String {
        self.clock.advance(Duration::from_secs(minutes * 60));
        self.poll().await
    }

    /// auth-service says something about a tenant.
    pub(crate) async fn tenant_changed(&self, tenant: TenantId, version: i64, is_deleted: bool) {
        let message = DeliverRequest {
            message_id: kit::ids::random().to_string(),
            topic: "tenant.changed".to_owned(),
            tenant_id: None,
            aggregate_id: tenant.to_string(),
            version,
            payload: json!({ "name": "Alpha", "is_active": !is_deleted, "is_deleted": is_deleted }).to_string(),
        };
        let request = call(&Caller::system("auth"), message);
        EventSinkClient::new(self.as_seen_by("auth")).deliver(request).await.unwrap();
    }

    /// The tenant's payment as the API shows it.
    pub(crate) async fn get(&self, caller: &Caller, id: &str) -> Payment {
        let request = call(caller, GetPaymentRequest { id: id.to_owned() });
        PaymentsClient::new(self.as_seen_by("gateway")).get(request).await.unwrap().into_inner()
    }

    /// Waits for the status of a payment.
    pub(crate) async fn until(&self, caller: &Caller, id: &str, status: PaymentStatus) -> Payment {
        eventually(&format!("the payment is {status:?}"), || async {
            let payment = self.get(caller, id).await;
            (payment.status() == status).then_some(payment)
        })
        .await
    }

    /// Whether the tenant is premium.
    pub(crate) async fn is_premium(&self, caller: &Caller) -> bool {
        let request = call(caller, GetSubscriptionRequest { tenant_id: None });
        SubscriptionsClient::new(self.as_seen_by("gateway")).get(request).await.unwrap().into_inner().is_premium
    }

    /// A SUPER_ADMIN asks for a refund.
    pub(crate) async fn refund(&self, id: &str) -> Result<Payment, tonic::Status> {
        let request = call(&super_admin(), RefundPaymentRequest { id: id.to_owned() });
        let answer = PaymentsClient::new(self.as_seen_by("gateway")).refund(request).await?;
        Ok(answer.into_inner().payment.unwrap())
    }

    /// The number of rows of a table that meet a condition.
    pub(crate) async fn count(&self, rows: &str) -> i64 {
        schema::count(&self.db, rows).await.unwrap()
    }

    /// A tenant that has paid and is premium; returns its ADMIN and its payment.
    pub(crate) async fn paid(&self) -> (Caller, Payment) {
        let boss = admin(TenantId::new());
        let payment = self.create_link(&boss).await.0.payment.unwrap();
        self.pay(&payment, "success").await;
        let payment = self.until(&boss, &payment.id, PaymentStatus::Activated).await;
        // All three events have arrived, and nobody asks Razorpay any more.
        eventually("all events are here", || async {
            let applied = self.count("webhook_events WHERE state = 'applied'").await;
            (applied > 0 && applied % 3 == 0).then_some(())
        })
        .await;
        self.all_applied().await;
        (boss, payment)
    }

    /// A payment whose money has arrived and about which nobody has told; its ADMIN and the payment.
    pub(crate) async fn paid_in_silence(&self) -> (Caller, Payment) {
        let boss = admin(TenantId::new());
        let payment = self.create_link(&boss).await.0.payment.unwrap();
        self.drop_webhooks().await;
        self.pay(&payment, "success").await;
        (boss, payment)
    }

    /// No event arrives from now on.
    pub(crate) async fn drop_webhooks(&self) {
        self.razorpay("/sandbox/chaos", json!({ "drop_webhooks": true })).await;
    }

    /// A browser comes back from the hosted page; returns what it is shown.
    pub(crate) async fn callback(&self, url: &str) -> CallbackResponse {
        let url = reqwest::Url::parse(url).unwrap();
        let of = |name: &str| {
            let found = url.query_pairs().find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        let fields = CallbackRequest {
            payment_id: of("razorpay_payment_id"),
            payment_link_id: of("razorpay_payment_link_id"),
            reference_id: of("razorpay_payment_link_reference_id"),
            status: of("razorpay_payment_link_status"),
            signature: of("razorpay_signature"),
        };
        let request = call(&testkit::caller::anonymous(), fields);
        PaymentsClient::new(self.as_seen_by("gateway")).callback(request).await.unwrap().into_inner()
    }

    /// The number of requests to Razorpay's API so far.
    pub(crate) async fn calls(&self) -> u64 {
        self.truth().await.get("calls").and_then(Value::as_u64).unwrap()
    }

    /// The address of the webhook's own port.
    pub(crate) fn webhook_addr(&self) -> SocketAddr {
        self.webhook
    }

    /// Posts an event with an id of its own; returns the status of the answer.
    pub(crate) async fn event(&self, id: &str, body: &Value) -> u16 {
        self.event_signed(b"sandbox_webhook_secret_0001", id, body).await
    }

    /// The gateway hands on an event.
    pub(crate) async fn event_by_gateway(&self, id: &str, body: &Value) {
        let body = body.to_string().into_bytes();
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"sandbox_webhook_secret_0001");
        let signature = Some(hex::encode(hmac::sign(&key, &body)));
        let sent = ReceiveWebhookRequest { body, signature, event_id: Some(id.to_owned()) };
        let request = call(&testkit::caller::anonymous(), sent);
        WebhooksClient::new(self.as_seen_by("gateway")).receive(request).await.unwrap();
    }

    /// The same, signed with this secret.
    pub(crate) async fn event_signed(&self, secret: &[u8], id: &str, body: &Value) -> u16 {
        let body = body.to_string();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let signature = hex::encode(hmac::sign(&key, body.as_bytes()));
        let url = format!("http://{}/api/v1/payments/webhook/razorpay/", self.webhook);
        let request = self.http.post(url).body(body).header("x-razorpay-signature", signature);
        request.header("x-razorpay-event-id", id).send().await.unwrap().status().as_u16()
    }

    /// Waits until every event that was received is applied or put aside.
    pub(crate) async fn all_applied(&self) {
        eventually("every event is applied", || async {
            (self.count("webhook_events WHERE state = 'pending'").await == 0).then_some(())
        })
        .await;
    }

    /// What must hold at any time: every entry sums to zero, each tenant is premium by a payment that has its money, and all of it
    /// can be computed again from the facts.
    pub(crate) async fn check_books(&self) {
        let (_, faults) = payments_service::operators::verify(&self.app()).await.unwrap();
        assert!(faults.is_empty(), "{faults:?}");
        let unbalanced =
            "ledger_lines l WHERE (SELECT sum(amount_minor) FROM %.ledger_lines WHERE entry = l.entry) <> 0";
        assert_eq!(self.count(&unbalanced.replace('%', &self.db.schema)).await, 0);
        let unpaid = "subscriptions s WHERE is_premium AND NOT EXISTS (SELECT FROM %.payments p \
                      WHERE p.id = s.payment_id AND p.status = 'ACTIVATED')";
        assert_eq!(self.count(&unpaid.replace('%', &self.db.schema)).await, 0, "premium without a payment");
    }

    /// Posts a signed body to the webhook's own port; returns the status.
    pub(crate) async fn webhook(&self, body: &'static [u8]) -> u16 {
        self.webhook_beside(body, None).await
    }

    /// The same with another signature behind the right one.
    pub(crate) async fn webhook_beside(&self, body: &'static [u8], another: Option<&str>) -> u16 {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"sandbox_webhook_secret_0001");
        let url = format!("http://{}/api/v1/payments/webhook/razorpay/", self.webhook);
        let request = self.http.post(url).body(body);
        let signature = hex::encode(hmac::sign(&key, body));
        let mut request = request.header("x-razorpay-signature", signature);
        if let Some(another) = another {
            request = request.header("x-razorpay-signature", another);
        }
        request.send().await.unwrap().status().as_u16()
    }

    /// Requests the tenant's payment link, which may be refused.
    pub(crate) async fn try_create_link(&self, caller: &Caller) -> Result<CreateLinkResponse, tonic::Status> {
        let request = call(caller, CreateLinkRequest {});
        Ok(PaymentsClient::new(self.as_seen_by("gateway")).create_link(request).await?.into_inner())
    }

    /// Requests the tenant's payment link; returns the answer, and whether it is a replayed one.
    pub(crate) async fn create_link(&self, caller: &Caller) -> (CreateLinkResponse, bool) {
        let request = call(caller, CreateLinkRequest {});
        let answer = PaymentsClient::new(self.as_seen_by("gateway")).create_link(request).await.unwrap();
        let replayed = answer.metadata().contains_key(kit::grpc::REPLAYED);
        (answer.into_inner(), replayed)
    }
}

impl Drop for Payments {
    fn drop(&mut self) {
        self.shutdown.stop();
        self.shutdown.hard.cancel();
    }
}
