//! Suggestions while somebody types.

use std::collections::HashSet;

use futures_util::future::try_join;
use kit::Error;
use kit::caller::{Caller, Role};
use kit_pg::{Conn, Scope};

use super::normalise::compared;
use crate::App;
use crate::store::suggestions;

/// The most suggestions.
const MOST: usize = 10;
/// The most artists while there are titles too.
const ARTISTS_BESIDE_TITLES: usize = 4;
/// Titles that are read: a song may be on a list in several versions with one title and artist.
const TITLES_READ: i64 = 30;

/// A text that begins with what was typed.
pub(crate) enum Suggestion {
    Title { text: String, artist: String },
    Artist(String),
}

/// Artists and titles of the tenant's list, at most ten; LISTENERs are told approved songs only.
pub(crate) async fn suggest(app: &App, caller: &Caller, typed: &str) -> Result<Vec<Suggestion>, Error> {
    let (_, tenant, role) = caller.tenant_user()?;
    let prefix = compared(typed);
    if prefix.is_empty() {
        return Ok(Vec::new());
    }
    let approved_only = role == Role::Listener;
    let most = i32::try_from(MOST).unwrap_or(i32::MAX);
    let (artists, titles) = app
        .pg
        .read(Scope::Tenant(tenant).one_plan(), async |conn: &Conn| {
            let artists = suggestions::artists(conn, tenant, &prefix, approved_only, most);
            try_join(artists, suggestions::titles(conn, tenant, &prefix, approved_only, TITLES_READ)).await
        })
        .await?;
    Ok(merged(artists, titles))
}

/// Artists first, but not so many that titles have no place.
fn merged(artists: Vec<String>, titles: Vec<(String, String)>) -> Vec<Suggestion> {
    let mut seen = HashSet::new();
    let titles: Vec<_> =
        titles.into_iter().filter(|(text, artist)| seen.insert((compared(text), compared(artist)))).collect();
    let for_artists = MOST.saturating_sub(titles.len()).max(ARTISTS_BESIDE_TITLES);
    let artists = artists.into_iter().take(for_artists).map(Suggestion::Artist);
    let titles = titles.into_iter().map(|(text, artist)| Suggestion::Title { text, artist });
    artists.chain(titles).take(MOST).collect()
}
