use std::time::Duration;

use kit::caller::Caller;
use kit::grpc::{Dialer, Peer, call};
use kit::metrics::Metrics;
use proto::common::RunRequest;
use proto::common::job_runner_client::JobRunnerClient;

use crate::config::Config;

/// The time that one run may take.
const BUDGET: Duration = Duration::from_secs(60);

/// The services that own the jobs.
pub(crate) struct Peers {
    auth: Peer,
    songlist: Peer,
    payments: Peer,
}

impl Peers {
    pub(crate) fn new(config: &Config, metrics: &Metrics) -> Self {
        let dialer = Dialer::new(&config.keys, metrics, proto::WITHOUT_EFFECT);
        Self {
            auth: dialer.connect("auth", &config.auth_targets),
            songlist: dialer.connect("songlist", &config.songlist_targets),
            payments: dialer.connect("payments", &config.payments_targets),
        }
    }

    /// Calls a service to run one of its jobs; returns the job's summary.
    ///
    /// # Errors
    /// When the service is unknown or cannot be reached, or the job failed.
    pub(crate) async fn run(&self, service: &str, job: &str) -> anyhow::Result<String> {
        let peer = match service {
            "auth" => &self.auth,
            "songlist" => &self.songlist,
            "payments" => &self.payments,
            other => anyhow::bail!("no service {other}"),
        };
        let request = call(&Caller::system("scheduler"), BUDGET, RunRequest { name: job.to_owned() });
        let response = JobRunnerClient::new(peer.clone()).run(request).await.map_err(kit::Error::from)?;
        Ok(response.into_inner().summary)
    }
}
