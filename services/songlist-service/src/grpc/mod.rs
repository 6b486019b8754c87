//! The service's gRPC face: message to input, call the domain, row to message.

mod events;
mod genres;
mod jobs;
mod playlists;
mod song_requests;
mod songs;
mod tenant_songs;

use kit::page::Page;
use proto::common::PageRequest;
use proto::tonic::service::Routes;

use crate::App;

/// Every service of this binary.
pub(crate) fn routes(app: &App) -> Routes {
    Routes::new(genres::service(app))
        .add_service(songs::service(app))
        .add_service(tenant_songs::service(app))
        .add_service(playlists::service(app))
        .add_service(song_requests::service(app))
        .add_service(events::service(app))
        .add_service(jobs::service(app))
}

fn page(request: Option<PageRequest>) -> Page {
    let (size, number, cursor) = request.unwrap_or_default().parts();
    Page::of(size, number, cursor)
}

/// A small count as the messages carry it.
fn small(number: Option<i16>) -> Option<u32> {
    number.and_then(|number| u32::try_from(number).ok())
}
