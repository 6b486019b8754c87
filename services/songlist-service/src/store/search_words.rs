//! The distinct words of a tenant's list, or of the GLOBAL songs: what a mistyped word may have meant.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError};
use uuid::Uuid;

use super::search::end_of;
use super::songs::Catalogue;

/// Whose words these are: a tenant's list, or (the nil id) the GLOBAL songs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Vocabulary(Uuid);

impl Vocabulary {
    pub(crate) const GLOBAL: Self = Self(Uuid::nil());

    pub(crate) fn of(tenant: TenantId) -> Self {
        Self(tenant.0)
    }

    /// The vocabularies of the songs in a catalogue.
    pub(crate) fn in_catalogue(catalogue: Catalogue) -> Vec<Self> {
        match catalogue {
            Catalogue::Global => vec![Self::GLOBAL],
            Catalogue::TenantAndGlobal(tenant) => vec![Self::GLOBAL, Self::of(tenant)],
        }
    }
}

/// A known word, and what was typed and may mean it.
#[derive(Clone, Debug, QueryableByName)]
pub(crate) struct Similar {
    #[diesel(sql_type = Text)]
    pub asked: String,
    #[diesel(sql_type = Text)]
    pub word: String,
}

/// Adds words that are not known yet. Others who add some of them wait until this transaction ends, so it is called once, at the end.
pub(crate) async fn add(conn: &mut Conn, vocabulary: Vocabulary, words: &BTreeSet<String>) -> Result<(), TxError> {
    const ADD: &str = "INSERT INTO search_words (tenant_id, word) SELECT $1, unnest($2) ON CONFLICT DO NOTHING";
    // In one order, so that two writers of the same words wait for each other and no deadlock is made.
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| word.len() <= MAX_WORD).collect();
    if words.is_empty() {
        return Ok(());
    }
    let query = diesel::sql_query(ADD).bind::<SqlUuid, _>(vocabulary.0).bind::<Array<Text>, _>(words);
    query.execute(conn).await?;
    Ok(())
}

/// Longer ones are nothing that anybody types, in bytes.
const MAX_WORD: usize = 100;

/// For each of `beginnings` the known words that begin so, in order, at most `most` in each vocabulary.
pub(crate) async fn beginning_with(
    mut conn: &Conn,
    vocabularies: &[Vocabulary],
    beginnings: &[String],
    most: i64,
) -> Result<Vec<Similar>, TxError> {
    const BEGINNING: &str = "
        SELECT asked.word AS asked, w.word FROM unnest($1) AS v (id) CROSS JOIN unnest($2, $3) AS asked (word, below)
        CROSS JOIN LATERAL (
            SELECT word FROM search_words
            WHERE tenant_id = v.id AND word >= asked.word AND word < asked.below ORDER BY tenant_id, word LIMIT $4
        ) w";
    let ends: Vec<String> = beginnings.iter().map(|beginning| end_of(beginning)).collect();
    Ok(diesel::sql_query(BEGINNING)
        .bind::<Array<SqlUuid>, _>(ids(vocabularies))
        .bind::<Array<Text>, _>(beginnings.to_vec())
        .bind::<Array<Text>, _>(ends)
        .bind::<BigInt, _>(most)
        .load(&mut conn)
        .await?)
}

/// The words among `words` that are known.
pub(crate) async fn known(
    mut conn: &Conn,
    vocabularies: &[Vocabulary],
    words: &[String],
) -> Result<Vec<String>, TxError> {
    // Each is looked up by itself: for a list of words the planner takes the trigram index, which compares parts of each.
    const KNOWN: &str = "
        SELECT DISTINCT w.word FROM unnest($1) AS v (id) CROSS JOIN unnest($2) AS asked (word) CROSS JOIN LATERAL (
            SELECT word FROM search_words
            WHERE tenant_id = v.id AND word = asked.word ORDER BY tenant_id, word LIMIT 1
        ) w";
    let query = diesel::sql_query(KNOWN).bind::<Array<SqlUuid>, _>(ids(vocabularies)).bind::<Array<Text>, _>(words);
    let known: Vec<Known> = query.load(&mut conn).await?;
    Ok(known.into_iter().map(|known| known.word).collect())
}

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = Text)]
    word: String,
}

/// For each of `words` the most similar ones that are known.
pub(crate) async fn similar(
    mut conn: &Conn,
    vocabularies: &[Vocabulary],
    words: &[String],
) -> Result<Vec<Similar>, TxError> {
    const MOST: i32 = 20;
    Ok(diesel::sql_query("SELECT asked, word FROM similar_words($1, $2, $3)")
        .bind::<Array<SqlUuid>, _>(ids(vocabularies))
        .bind::<Array<Text>, _>(words.to_vec())
        .bind::<Integer, _>(MOST)
        .load(&mut conn)
        .await?)
}

fn ids(vocabularies: &[Vocabulary]) -> Vec<Uuid> {
    vocabularies.iter().map(|vocabulary| vocabulary.0).collect()
}
