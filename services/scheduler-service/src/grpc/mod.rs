//! The service's gRPC face: message to input, call the domain, row to message.

mod jobs;

use proto::tonic::service::Routes;

use crate::App;

/// Every service of this binary.
pub(crate) fn routes(app: &App) -> Routes {
    Routes::new(jobs::service(app))
}
