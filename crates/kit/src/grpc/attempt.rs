//! One attempt at a call, and what its outcome says about another one.

use std::error::Error as StdError;

use http::Response;
use tonic::body::Body;
use tonic::{Code, Status, TimeoutExpired};
use tower::BoxError;

use crate::Error;

/// What became of one attempt.
pub(super) enum Outcome {
    /// The replica answered, perhaps with an error that another replica would answer too.
    Answered(Response<Body>),
    /// The replica answered that it cannot serve now.
    Unavailable(Response<Body>),
    /// The call never reached the replica, or it said that it has not begun: no harm in sending it elsewhere.
    NeverSent { cannot_connect: bool, error: BoxError },
    /// The connection broke while the call was under way: it may have had its effect.
    Broken(BoxError),
    /// The replica stopped answering its health checks while the call was under way: it may have had its effect.
    GivenUp,
    /// The deadline of the call came first.
    Late(BoxError),
}

impl Outcome {
    /// The name in metrics.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Answered(_) => "answered",
            Self::Unavailable(_) => "unavailable",
            Self::NeverSent { .. } => "never_sent",
            Self::Broken(_) => "broken",
            Self::GivenUp => "given_up",
            Self::Late(_) => "late",
        }
    }

    /// Reads the result of a channel.
    pub(super) fn of(result: Result<Response<Body>, tonic::transport::Error>) -> Self {
        match result {
            Ok(response) if is_unavailable(&response) => Self::Unavailable(response),
            Ok(response) => Self::Answered(response),
            Err(error) if has::<TimeoutExpired>(&error) => Self::Late(error.into()),
            Err(error) => {
                let cannot_connect = has::<tonic::ConnectError>(&error);
                if cannot_connect || never_begun(&error) {
                    Self::NeverSent { cannot_connect, error: error.into() }
                } else {
                    Self::Broken(error.into())
                }
            }
        }
    }

    /// The call's result, when it is not tried again.
    pub(super) fn into_result(self) -> Result<Response<Body>, BoxError> {
        match self {
            Self::Answered(response) | Self::Unavailable(response) => Ok(response),
            Self::NeverSent { error, .. } | Self::Broken(error) | Self::Late(error) => Err(error),
            Self::GivenUp => {
                Err(Status::from(Error::unavailable(anyhow::anyhow!("the replica does not answer"))).into())
            }
        }
    }
}

/// An error without a message has its status in the headers.
fn is_unavailable(response: &Response<Body>) -> bool {
    Status::from_header_map(response.headers()).is_some_and(|status| status.code() == Code::Unavailable)
}

fn causes<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error: &&'e (dyn StdError + 'static)| error.source())
}

fn has<E: StdError + 'static>(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|cause| cause.is::<E>())
}

/// True when the client has not sent the request, because the connection was closing, or the server has said that it did not
/// look at it: `REFUSED_STREAM`, or a stream above the last one of its GOAWAY (RFC 9113, 6.8 and 8.7).
fn never_begun(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|cause| {
        let not_sent = cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled);
        let refused = cause.downcast_ref::<h2::Error>().is_some_and(|error| {
            let gone_away = error.is_go_away() && error.is_remote() && error.reason() == Some(h2::Reason::NO_ERROR);
            gone_away || error.reason() == Some(h2::Reason::REFUSED_STREAM)
        });
        not_sent || refused
    })
}
