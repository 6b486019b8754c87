use std::net::SocketAddr;

use kit::Clock;
use kit::caller::Caller;
use kit::env::Env;
use kit::grpc::Peer;
use kit::lifecycle::Shutdown;
use payments_service::{Config, MIGRATIONS, start};
use proto::payments::payments_client::PaymentsClient;
use proto::payments::{CreateLinkRequest, CreateLinkResponse};
use ring::hmac;
use sandbox::razorpay::{self, Razorpay, RazorpayOptions};
use testkit::TestDb;
use testkit::caller::{call, peer};

/// payments-service with a schema and a Razorpay of its own; the addresses of its peers do not answer.
pub(crate) struct Payments {
    gateway: Peer,
    webhook: SocketAddr,
    shutdown: Shutdown,
    _db: TestDb,
}

impl Payments {
    pub(crate) async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (db, clock, shutdown) =
            (TestDb::new("payments", MIGRATIONS).await.unwrap(), Clock::movable(), Shutdown::new());
        let any = "127.0.0.1:0".parse().unwrap();
        let account = Razorpay::new(RazorpayOptions {
            key_id: "rzp_test_sandbox0000001".to_owned(),
            key_secret: "sandbox_key_secret_0001".to_owned(),
            webhook_secret: "sandbox_webhook_secret_0001".to_owned(),
            webhook_url: "http://127.0.0.1:1/".to_owned(),
            clock: clock.clone(),
        });
        let razorpay = razorpay::start(account, any, &shutdown).await.unwrap();
        let nobody = "http://127.0.0.1:1".to_owned();
        let settings = [
            ("RAZORPAY_BASE_URL", format!("http://{razorpay}/v1")),
            ("AUTH_URL", nobody.clone()),
            ("SONGLIST_URL", nobody),
        ];
        let mut config = Config::from_env(&mut Env::of(settings));
        (config.grpc_addr, config.ops_addr, config.webhook_addr) = (any, any, any);
        config.pg = db.config().unwrap();
        config.clock = clock;
        let addresses = start(config, shutdown.clone()).await.unwrap();
        let gateway = peer("gateway", "payments", addresses.grpc).unwrap();
        Self { gateway, webhook: addresses.webhook, shutdown, _db: db }
    }

    /// Posts a signed body to the webhook's own port; returns the status.
    pub(crate) async fn webhook(&self, body: &'static [u8]) -> u16 {
        self.webhook_beside(body, None).await
    }

    /// The same with another signature behind the right one.
    pub(crate) async fn webhook_beside(&self, body: &'static [u8], another: Option<&str>) -> u16 {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"sandbox_webhook_secret_0001");
        let url = format!("http://{}/api/v1/payments/webhook/razorpay/", self.webhook);
        let request = reqwest::Client::builder().build().unwrap().post(url).body(body);
        let signature = hex::encode(hmac::sign(&key, body));
        let mut request = request.header("x-razorpay-signature", signature);
        if let Some(another) = another {
            request = request.header("x-razorpay-signature", another);
        }
        request.send().await.unwrap().status().as_u16()
    }

    /// Requests the tenant's payment link; returns the answer, and whether it is a replayed one.
    pub(crate) async fn create_link(&self, caller: &Caller) -> (CreateLinkResponse, bool) {
        let request = call(caller, CreateLinkRequest {});
        let answer = PaymentsClient::new(self.gateway.clone()).create_link(request).await.unwrap();
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
