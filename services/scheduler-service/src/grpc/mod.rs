//! The gRPC layer: it converts messages to inputs, calls the domain, and converts rows to messages.

mod jobs;

use proto::tonic::service::Routes;

use crate::App;

/// All gRPC services of this binary.
pub(crate) fn routes(app: &App) -> Routes {
    Routes::new(jobs::service(app))
}
