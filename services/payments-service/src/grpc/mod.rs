//! The service's gRPC face: message to input, call the domain, row to message.

mod events;
mod jobs;
mod payments;
mod subscriptions;
mod webhooks;

use proto::tonic::service::Routes;

use crate::App;

/// Every service of this binary.
pub(crate) fn routes(app: &App) -> Routes {
    Routes::new(payments::service(app))
        .add_service(subscriptions::service(app))
        .add_service(webhooks::service(app))
        .add_service(events::service(app))
        .add_service(jobs::service(app))
}
