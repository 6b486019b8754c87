//! The distinct words of a tenant's list, or of the GLOBAL songs: what a mistyped word may have meant.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, FixedSql, TxError, fixed_sql};
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
#[derive(Clone, Debug, Queryable)]
pub(crate) struct Similar {
    pub asked: String,
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
    Ok(beginnings_of(vocabularies, beginnings, most).load(&mut conn).await?)
}

fn beginnings_of(vocabularies: &[Vocabulary], beginnings: &[String], most: i64) -> FixedSql<(Text, Text)> {
    const BEGINNING: &str = "
        SELECT asked.word, w.word FROM unnest(?::uuid[]) AS v (id) CROSS JOIN unnest(?::text[], ?::text[]) AS asked (word, below)
        CROSS JOIN LATERAL (
            SELECT word FROM search_words
            WHERE tenant_id = v.id AND word >= asked.word AND word < asked.below ORDER BY tenant_id, word LIMIT ?
        ) w";
    let ends: Vec<String> = beginnings.iter().map(|beginning| end_of(beginning)).collect();
    fixed_sql(BEGINNING)
        .bind::<Array<SqlUuid>, _>(ids(vocabularies))
        .bind::<Array<Text>, _>(beginnings.to_vec())
        .bind::<Array<Text>, _>(ends)
        .bind::<BigInt, _>(most)
}

/// The words among `words` that are known.
pub(crate) async fn known(
    mut conn: &Conn,
    vocabularies: &[Vocabulary],
    words: &[String],
) -> Result<Vec<String>, TxError> {
    // Each is looked up by itself: for a list of words the planner takes the trigram index, which compares parts of each.
    const KNOWN: &str = "
        SELECT DISTINCT w.word FROM unnest(?) AS v (id) CROSS JOIN unnest(?) AS asked (word) CROSS JOIN LATERAL (
            SELECT word FROM search_words
            WHERE tenant_id = v.id AND word = asked.word ORDER BY tenant_id, word LIMIT 1
        ) w";
    let query = fixed_sql::<Text>(KNOWN).bind::<Array<SqlUuid>, _>(ids(vocabularies));
    Ok(query.bind::<Array<Text>, _>(words.to_vec()).load(&mut conn).await?)
}

/// For each of `words` the most similar ones that are known.
pub(crate) async fn similar(
    mut conn: &Conn,
    vocabularies: &[Vocabulary],
    words: &[String],
) -> Result<Vec<Similar>, TxError> {
    const MOST: i32 = 20;
    Ok(fixed_sql::<(Text, Text)>("SELECT asked, word FROM similar_words(?, ?, ?)")
        .bind::<Array<SqlUuid>, _>(ids(vocabularies))
        .bind::<Array<Text>, _>(words.to_vec())
        .bind::<Integer, _>(MOST)
        .load(&mut conn)
        .await?)
}

fn ids(vocabularies: &[Vocabulary]) -> Vec<Uuid> {
    vocabularies.iter().map(|vocabulary| vocabulary.0).collect()
}

#[cfg(test)]
mod tests {
    use kit_pg::bootstrap::open;
    use testkit::TestDb;
    use testkit::schema::as_tenant;

    use super::*;
    use crate::store::tenant_song_pages::plans::plan;

    #[tokio::test]
    async fn beginnings_are_ranges_of_the_key_in_the_plan_that_connections_keep_however_many_words_were_known_when_it_was_made()
     {
        let db = TestDb::new("songlist", crate::MIGRATIONS).await.unwrap();
        let superuser = open(db.admin_url()).await.unwrap();
        let client = open(&db.url().unwrap()).await.unwrap();
        let tenant = Uuid::from_u128(1);
        let words = |tenants: u32, words: u32| {
            format!(
                "SET search_path = {}, extensions; INSERT INTO search_words (tenant_id, word) \
                 SELECT ('00000000-0000-0000-0000-' || lpad(t::text, 12, '0'))::uuid, md5(w::text) \
                 FROM generate_series(1, {tenants}) t, generate_series(1, {words}) w ON CONFLICT DO NOTHING; ANALYZE search_words",
                db.schema
            )
        };
        let query = beginnings_of(&[Vocabulary(tenant)], &["a".to_owned()], 51);
        let values = format!("ARRAY['{tenant}']::uuid[], ARRAY['a'], ARRAY['b'], 51");
        for known in [words(0, 0), words(1, 3), words(1, 20_000), words(100, 200)] {
            superuser.batch_execute(&known).await.unwrap();
            client.batch_execute(&as_tenant(tenant)).await.unwrap();
            // As `kit_pg::with_one_plan` says it.
            client.batch_execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off").await.unwrap();
            client.batch_execute("SET LOCAL plan_cache_mode = force_generic_plan").await.unwrap();
            let plan = plan(&client, &query, &values).await;
            let is_range = |line: &str| line.contains("Index Cond: ") && line.contains("(word >= asked.word)");
            assert!(plan.contains("using search_words_pkey") && plan.lines().any(is_range), "{known}:\n{plan}");
            client.batch_execute("ROLLBACK").await.unwrap();
        }
    }
}
