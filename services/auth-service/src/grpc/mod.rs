//! The gRPC layer: it converts messages to inputs, calls the domain, and converts rows to messages.

mod audit_events;
mod authenticators;
mod deleted_users;
mod password_resets;
mod registrations;
mod revocations;
mod sessions;
mod sign_in;
mod signing_keys;
mod tenants;
mod users;

use kit::lifecycle::Shutdown;
use proto::tonic::service::Routes;

use crate::domain::events;
use crate::{App, jobs};

/// All gRPC services of this binary.
pub(crate) fn routes(app: &App, shutdown: &Shutdown) -> Routes {
    Routes::new(tenants::service(app))
        .add_service(users::service(app))
        .add_service(deleted_users::service(app))
        .add_service(authenticators::service(app))
        .add_service(audit_events::service(app))
        .add_service(sign_in::service(app))
        .add_service(registrations::service(app))
        .add_service(password_resets::service(app))
        .add_service(sessions::service(app))
        .add_service(signing_keys::service(app))
        .add_service(revocations::service(app, shutdown))
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
