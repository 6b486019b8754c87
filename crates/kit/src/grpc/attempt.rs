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
    /// The deadline of the call came first; `in_a_hurry` when it had too little time to say anything about the replica.
    Late { in_a_hurry: bool, error: BoxError },
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
            Self::Late { .. } => "late",
        }
    }

    /// The call's time was over.
    pub(super) fn late(in_a_hurry: bool, error: BoxError) -> Self {
        Self::Late { in_a_hurry, error }
    }

    /// The same, when a lateness says nothing about the replica.
    pub(super) fn hurried(self, in_a_hurry: bool) -> Self {
        match self {
            Self::Late { error, .. } => Self::late(in_a_hurry, error),
            other => other,
        }
    }

    /// Reads an answer.
    pub(super) fn answered(response: Response<Body>) -> Self {
        if is_unavailable(&response) { Self::Unavailable(response) } else { Self::Answered(response) }
    }

    /// Reads the error of a channel.
    pub(super) fn failed(error: tonic::transport::Error) -> Self {
        let cannot_connect = has::<tonic::ConnectError>(&error);
        if has::<TimeoutExpired>(&error) {
            Self::late(false, error.into())
        } else if cannot_connect || never_begun(&error) {
            Self::NeverSent { cannot_connect, error: error.into() }
        } else {
            Self::Broken(error.into())
        }
    }

    /// True when the whole connection broke, and not this call alone (`RST_STREAM`, RFC 9113, 6.4).
    pub(super) fn is_lost_connection(&self) -> bool {
        let Self::Broken(error) = self else { return false };
        !causes(error.as_ref()).any(|cause| cause.downcast_ref::<h2::Error>().is_some_and(h2::Error::is_reset))
    }

    /// The call's result, when it is not tried again.
    pub(super) fn into_result(self) -> Result<Response<Body>, BoxError> {
        match self {
            Self::Answered(response) | Self::Unavailable(response) => Ok(response),
            Self::NeverSent { error, .. } | Self::Broken(error) | Self::Late { error, .. } => Err(error),
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
