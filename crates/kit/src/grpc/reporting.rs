use std::time::Duration;

use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use super::Callers;
use crate::health::Health;
use crate::lifecycle::Shutdown;

/// How often what `grpc.health.v1` says is compared with the service's readiness.
const REPORT_EVERY: Duration = Duration::from_millis(250);

/// Lets `grpc.health.v1` say what `/readyz` says, for the whole server and by the name of each service: not before the service
/// is ready, and no more when its database is away or it stops.
pub(super) async fn start(reporter: HealthReporter, callers: Callers, health: Health, shutdown: &Shutdown) {
    let methods = callers.iter().flat_map(|(_, methods)| methods.iter());
    let mut names: Vec<&'static str> = methods.filter_map(|method| Some(method.split_once('/')?.0)).collect();
    names.push("");
    names.sort_unstable();
    names.dedup();
    let report = async move |ready: bool| {
        let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
        for name in &names {
            reporter.set_service_status(name, status).await;
        }
    };
    let mut last = health.ready();
    report(last).await;
    let draining = shutdown.draining.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = draining.cancelled() => return report(false).await,
                () = tokio::time::sleep(REPORT_EVERY) => {}
            }
            if health.ready() != last {
                last = !last;
                report(last).await;
            }
        }
    });
}
