//! The gRPC layer: message to input, a call of the domain, row to message.

mod jobs;

use proto::tonic::service::Routes;

use crate::App;

/// All gRPC services of this binary.
pub(crate) fn routes(app: &App) -> Routes {
    Routes::new(jobs::service(app))
}
