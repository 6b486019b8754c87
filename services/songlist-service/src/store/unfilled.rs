//! Rows without words: those of releases that knew no words yet.

use diesel::prelude::*;
use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use kit_pg::{Conn, TxError};
use uuid::Uuid;

use crate::schema::{songs, tenant_songs};

/// A row whose words are missing.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct Unfilled {
    pub id: Uuid,
    /// `None`: a GLOBAL song.
    pub tenant: Option<Uuid>,
    pub title: String,
    pub artist: String,
    pub album: String,
    pub artist_norm: String,
}

/// Locks some songs.
pub(crate) async fn songs(conn: &mut Conn, limit: i64) -> Result<Vec<Unfilled>, TxError> {
    use songs as s;
    let columns = (s::id, s::tenant_id, s::title, s::artist, s::album, s::artist_norm);
    let unfilled = s::table.filter(s::words.eq("")).order(s::id).limit(limit).select(columns);
    Ok(unfilled.for_no_key_update().skip_locked().load(conn).await?)
}

/// Locks some links.
pub(crate) async fn links(conn: &mut Conn, limit: i64) -> Result<Vec<Unfilled>, TxError> {
    use tenant_songs as t;
    let columns = (t::id, t::tenant_id.nullable(), t::title, t::artist, t::album, t::artist_norm);
    let unfilled = t::table.filter(t::words.eq("")).order(t::id).limit(limit).select(columns);
    Ok(unfilled.for_no_key_update().skip_locked().load(conn).await?)
}

/// Stores the words of songs.
pub(crate) async fn fill_songs(conn: &mut Conn, words: &[(Uuid, String)]) -> Result<(), TxError> {
    fill(conn, "UPDATE songs r SET words = f.words FROM unnest($1, $2) AS f (id, words) WHERE r.id = f.id", words).await
}

/// Stores the words of links.
pub(crate) async fn fill_links(conn: &mut Conn, words: &[(Uuid, String)]) -> Result<(), TxError> {
    fill(
        conn,
        "UPDATE tenant_songs r SET words = f.words FROM unnest($1, $2) AS f (id, words) WHERE r.id = f.id",
        words,
    )
    .await
}

async fn fill(conn: &mut Conn, statement: &'static str, words: &[(Uuid, String)]) -> Result<(), TxError> {
    let (ids, words): (Vec<Uuid>, Vec<&str>) = words.iter().map(|(id, words)| (*id, words.as_str())).unzip();
    let query = diesel::sql_query(statement).bind::<Array<SqlUuid>, _>(ids).bind::<Array<Text>, _>(words);
    query.execute(conn).await?;
    Ok(())
}
