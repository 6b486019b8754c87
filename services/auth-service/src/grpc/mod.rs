//! The service's gRPC face: message to input, call the domain, row to message.

mod events;
mod jobs;
mod keys;
mod password_resets;
mod registrations;
mod revocations;
mod sessions;
mod sign_in;
mod tenants;
mod users;

use kit::lifecycle::Shutdown;
use kit::page::Page;
use proto::common::PageRequest;
use proto::tonic::service::Routes;

use crate::App;

/// Every service of this binary.
pub(crate) fn routes(app: &App, shutdown: &Shutdown) -> Routes {
    Routes::new(tenants::service(app))
        .add_service(users::service(app))
        .add_service(sign_in::service(app))
        .add_service(registrations::service(app))
        .add_service(password_resets::service(app))
        .add_service(sessions::service(app))
        .add_service(keys::service(app))
        .add_service(revocations::service(app, shutdown))
        .add_service(events::service(app))
        .add_service(jobs::service(app))
}

fn page(request: Option<PageRequest>) -> Page {
    let (size, number, cursor) = request.unwrap_or_default().parts();
    Page::of(size, number, cursor)
}
