//! The gRPC layer: it converts messages to inputs, calls the domain, and converts rows to messages.

mod payments;
mod subscriptions;
mod webhook_events;

use proto::tonic::service::Routes;

use crate::domain::events;
use crate::{App, jobs};

/// All gRPC services of this binary.
pub(crate) fn routes(app: &App) -> Routes {
    Routes::new(payments::service(app))
        .add_service(subscriptions::service(app))
        .add_service(webhook_events::service(app))
        .add_service(rpc::event_sink(events::SENDERS, {
            let app = app.clone();
            move |message| {
                let app = app.clone();
                async move { events::receive(&app, &message).await }
            }
        }))
        .add_service(rpc::job_runner({
            let app = app.clone();
            move |name| {
                let app = app.clone();
                async move { jobs::run(&app, &name).await }
            }
        }))
}
