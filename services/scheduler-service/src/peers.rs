use std::time::Duration;

use kit::caller::Caller;
use kit::grpc::{Peer, call, connect};
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
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            auth: connect("auth", &config.auth_url, &config.keys)?,
            songlist: connect("songlist", &config.songlist_url, &config.keys)?,
            payments: connect("payments", &config.payments_url, &config.keys)?,
        })
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
