//! The states of a song request, and which follows which.

use kit::{Code, Error};

use crate::store::song_requests::SongRequest;

/// The states of a request. REJECTED and FULFILLED are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Pending,
    Approved,
    Rejected,
    Fulfilled,
}

impl Status {
    const ALL: [Self; 4] = [Self::Pending, Self::Approved, Self::Rejected, Self::Fulfilled];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Approved => "APPROVED",
            Self::Rejected => "REJECTED",
            Self::Fulfilled => "FULFILLED",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Pending, Self::Approved | Self::Rejected | Self::Fulfilled)
                | (Self::Approved, Self::Fulfilled | Self::Rejected)
        )
    }
}

impl SongRequest {
    /// Moves to the next state.
    ///
    /// # Errors
    /// `illegal_transition`.
    pub(crate) fn advance(&mut self, next: Status) -> Result<(), Error> {
        let now =
            Status::of_name(&self.status).ok_or_else(|| Error::internal(anyhow::anyhow!("state {}", self.status)))?;
        if !now.may_become(next) {
            let text = format!("A request that is {} cannot become {}.", now.name(), next.name());
            return Err(Error::new(Code::IllegalTransition).message(text));
        }
        next.name().clone_into(&mut self.status);
        self.version += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Status::{self, Approved, Fulfilled, Pending, Rejected};

    #[test]
    fn only_the_transitions_of_the_contract_are_legal() {
        let legal = [
            (Pending, Approved),
            (Pending, Rejected),
            (Pending, Fulfilled),
            (Approved, Fulfilled),
            (Approved, Rejected),
        ];
        for from in Status::ALL {
            for to in Status::ALL {
                assert_eq!(from.may_become(to), legal.contains(&(from, to)), "{from:?} to {to:?}");
            }
        }
    }
}
