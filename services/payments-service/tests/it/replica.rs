use kit::caller::Caller;
use kit::grpc::Peer;
use kit::lifecycle::Shutdown;
use payments_service::{Config, start};
use proto::common::RunRequest;
use proto::common::job_runner_client::JobRunnerClient;
use testkit::caller::{call, peer};

/// Another process of the service beside the first one, with settings of its own.
pub(crate) struct Replica {
    scheduler: Peer,
    shutdown: Shutdown,
}

impl Replica {
    pub(crate) async fn start(mut config: Config) -> Self {
        let any = "127.0.0.1:0".parse().unwrap();
        (config.grpc_addr, config.ops_addr, config.webhook_addr) = (any, any, any);
        let shutdown = Shutdown::new();
        let grpc = start(config, shutdown.clone()).await.unwrap().grpc;
        Self { scheduler: peer("scheduler", "payments", grpc).unwrap(), shutdown }
    }

    /// Runs the job that asks Razorpay; returns its summary.
    pub(crate) async fn poll(&self) -> String {
        let request = call(&Caller::system("scheduler"), RunRequest { name: "payments.poll_pending".to_owned() });
        JobRunnerClient::new(self.scheduler.clone()).run(request).await.unwrap().into_inner().summary
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.shutdown.stop();
        self.shutdown.hard.cancel();
    }
}
