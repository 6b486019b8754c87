//! The sandbox binary: mailbox and Razorpay on loopback, for development.

use std::net::SocketAddr;
use std::process::ExitCode;

use kit::Clock;
use kit::env::Env;
use kit::lifecycle::StopTimes;
use kit::telemetry::LogConfig;
use sandbox::mailbox::{self, Mailbox};
use sandbox::razorpay::{self, Razorpay, RazorpayOptions};

#[tokio::main]
async fn main() -> ExitCode {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut env = Env::process();
    let (logs, times) = (LogConfig::from_env(&mut env), StopTimes::from_env(&mut env));
    let mut addr = |name: &str, port: u16, about| env.get(name, SocketAddr::from(([127, 0, 0, 1], port)), about);
    let web = addr("SANDBOX_WEB_ADDR", 8025, "sandbox: the mailbox's page and API");
    let smtp = addr("SANDBOX_SMTP_ADDR", 1025, "sandbox: SMTP");
    let pay = addr("SANDBOX_RAZORPAY_ADDR", 8026, "sandbox: Razorpay");
    let options = RazorpayOptions {
        key_id: env.text("RAZORPAY_KEY_ID", "rzp_test_sandbox0000001", "Razorpay key id"),
        key_secret: env.text("RAZORPAY_KEY_SECRET", "sandbox_key_secret_0001", "Razorpay key secret"),
        webhook_secret: env.text("RAZORPAY_WEBHOOK_SECRET", "sandbox_webhook_secret_0001", "Razorpay webhook secret"),
        webhook_url: env.text(
            "SANDBOX_WEBHOOK_URL",
            "http://127.0.0.1:8001/api/v1/payments/webhook/razorpay/",
            "Where the sandbox's Razorpay sends events",
        ),
        clock: Clock::movable(),
    };
    if let Err(problems) = env.finish() {
        eprint!("{problems}");
        return ExitCode::FAILURE;
    }
    let _flush = logs.install();
    kit::lifecycle::run(times, async |shutdown| {
        mailbox::start(Mailbox::new(), smtp, web, &shutdown).await?;
        razorpay::start(Razorpay::new(options)?, pay, &shutdown).await?;
        anyhow::Ok(())
    })
    .await
}
