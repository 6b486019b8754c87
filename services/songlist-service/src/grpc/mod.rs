//! The gRPC layer: it converts messages to inputs, calls the domain, and converts rows to messages.

mod genres;
mod media;
mod playlists;
mod song_requests;
mod songs;
mod tenant_songs;

use proto::tonic::service::Routes;

use crate::domain::events;
use crate::{App, jobs};

/// All gRPC services of this binary.
pub(crate) fn routes(app: &App) -> Routes {
    Routes::new(genres::service(app))
        .add_service(media::service(app))
        .add_service(songs::service(app))
        .add_service(tenant_songs::service(app))
        .add_service(playlists::service(app))
        .add_service(song_requests::service(app))
        .add_service(rpc::event_sink(events::SENDERS, {
            let app = app.clone();
            move |message| {
                let app = app.clone();
                async move { events::receive(&app, &message).await }
            }
        }))
        .add_service(rpc::job_runner({
            let app = app.clone();
            move |name| {
                let app = app.clone();
                async move { jobs::run(&app, &name).await }
            }
        }))
}

/// A small number as the type that messages use.
fn small(number: Option<i16>) -> Option<u32> {
    number.and_then(|number| u32::try_from(number).ok())
}
