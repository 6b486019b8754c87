//! Rules: which jobs there are, who leads, and what a run is.

pub(crate) mod jobs;
pub(crate) mod leader;
