//! Lists carry copies of what they show of a song; they follow when it changes.

use std::collections::BTreeSet;

use kit::Error;
use kit::caller::Caller;
use kit::ids::TenantId;
use kit_pg::{Conn, Scope, TxError};
use serde_json::json;
use uuid::Uuid;

use super::linking::learn;
use crate::App;
use crate::store::link_changes;
use crate::store::playlists::{self, Longer};
use crate::store::search_words::Vocabulary;
use crate::store::songs::{self, Song};

/// The topic of the message after which the lists of all tenants follow a GLOBAL song.
pub(crate) const TOPIC: &str = "song.changed";
/// Links that are rewritten in one transaction.
const BATCH: i64 = 500;

/// Makes the lists follow a song that was changed.
pub(crate) async fn follow(
    conn: &mut Conn,
    caller: &Caller,
    owner: Option<TenantId>,
    song: &Song,
) -> Result<(), TxError> {
    if owner.is_some() {
        rewrite(conn, song, Uuid::nil()).await?;
        return Ok(());
    }
    learn(conn, Vocabulary::GLOBAL, song).await?;
    let message = outbox::NewMessage {
        topic: TOPIC,
        tenant_id: None,
        aggregate_id: song.id,
        version: song.version,
        payload: json!({}),
        request_id: caller.request_id.clone(),
    };
    outbox::emit(conn, message).await
}

/// Makes the lists of all tenants follow a GLOBAL song as it is now; may be repeated.
pub(crate) async fn follow_everywhere(app: &App, id: Uuid) -> Result<(), Error> {
    let mut after = Some(Uuid::nil());
    while let Some(from) = after {
        after = app
            .pg
            .transaction(Scope::Worker, async |conn: &mut Conn| {
                let song = songs::find_any(conn, id).await?;
                rewrite(conn, &song, from).await
            })
            .await?;
    }
    Ok(())
}

/// Rewrites a batch of links to a song, those behind `after`, and the durations of their playlists. Returns the last of them
/// when there may be more.
async fn rewrite(conn: &mut Conn, song: &Song, after: Uuid) -> Result<Option<Uuid>, TxError> {
    let links = link_changes::lock(conn, song, after, BATCH).await?;
    // As it is now: another message about it may have been delivered while this one waited for the links.
    let song = &songs::find_any(conn, song.id).await?;
    // Its links were counted out of lists and histograms as they are: they stay so.
    if song.deleted_at.is_some() {
        return Ok(None);
    }
    let ids: Vec<Uuid> = links.iter().map(|link| link.id).collect();
    link_changes::rewrite(conn, &ids, song).await?;
    for tenant in links.iter().map(|link| link.tenant).collect::<BTreeSet<_>>() {
        learn(conn, Vocabulary::of(TenantId(tenant)), song).await?;
    }
    let seconds = |duration: Option<i16>| i64::from(duration.unwrap_or(0));
    let longer: Vec<Longer> = links
        .iter()
        .map(|link| Longer { tenant: link.tenant, link: link.id, by: seconds(song.duration) - seconds(link.duration) })
        .filter(|longer| longer.by != 0)
        .collect();
    playlists::lengthen(conn, &longer).await?;
    let more = i64::try_from(ids.len()).is_ok_and(|rows| rows == BATCH);
    Ok(ids.last().copied().filter(|_| more))
}
