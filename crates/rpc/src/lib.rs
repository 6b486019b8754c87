//! gRPC that every service offers and calls in the same way: events between outbox and inbox, jobs that the scheduler starts,
//! pages.

mod event_sink;
mod job_runner;

use kit::page::Page;
use proto::common::PageRequest;

pub use event_sink::{Sender, deliver, event_sink};
pub use job_runner::job_runner;

/// The page that a request asks for; the first one when it names none.
pub fn page(request: Option<PageRequest>) -> Page {
    let (size, number, cursor) = request.unwrap_or_default().parts();
    Page::of(size, number, cursor)
}
