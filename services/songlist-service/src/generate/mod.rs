//! Catalogues of any size for trials and measurements, loaded by COPY. They are skewed as real ones are: few words, artists and
//! songs are frequent, titles are used again, some letters have accents, some songs are in other scripts.

mod source;

use std::fmt::Write as _;
use std::pin::pin;

use anyhow::Context;
use bytes::Bytes;
use futures_util::SinkExt;
use kit_pg::bootstrap::open;
use tokio_postgres::Client;
use uuid::Uuid;

use self::source::Source;
use crate::domain::normalise::{compared, searched};

/// What is to be generated.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// GLOBAL songs. All of them are on the list of the first tenant.
    pub songs: u32,
    /// Links over all lists; what the first and the second tenant do not have is spread over the others.
    pub links: u32,
    /// The ids of tenants. The second one has a list of a thousand.
    pub tenants: Vec<Uuid>,
    /// The same seed makes the same catalogue.
    pub seed: u64,
}

/// The songs on the list of the second tenant.
const SMALL_LIST: u32 = 1_000;
/// Bytes that are sent at once.
const CHUNK: usize = 256 * 1024;

/// Fills the schema of songlist-service, which must have its migrations and at least one genre. `admin_url` is that of a
/// superuser in the database: COPY is refused where row-level security applies.
///
/// # Errors
/// When the database cannot be reached or a statement fails; nothing is kept then.
pub async fn generate(admin_url: &str, schema: &str, wanted: &Catalogue) -> anyhow::Result<()> {
    let [giant, small, others @ ..] = wanted.tenants.as_slice() else { anyhow::bail!("two tenants at least") };
    let client = open(admin_url).await?;
    // Indexes are built at the end, in the same transaction: entering each row into each takes several times as long.
    let begin = format!(
        "BEGIN; SET LOCAL search_path = {schema}, extensions; SET LOCAL maintenance_work_mem = '512MB'; {DROP_INDEXES}; \
         ALTER TABLE tenant_songs DISABLE TRIGGER tenant_songs_are_followed_when_inserted; \
         CREATE TEMP TABLE popular (rank integer, id uuid) ON COMMIT DROP"
    );
    client.batch_execute(&begin).await?;
    let ids = load_songs(&client, wanted).await?;
    load_popular(&client, &ids).await?;
    let seed = f64::from(u32::try_from(wanted.seed % 1_000)?);
    client.execute("SELECT setseed($1::double precision / 1000)", &[&seed]).await?;
    client.execute(&format!("{LINK} songs s, (SELECT $1::text::uuid AS id) t"), &[&giant.to_string()]).await?;
    let rest = wanted.links.saturating_sub(wanted.songs).saturating_sub(SMALL_LIST);
    let mut lists = shares(rest, others)?;
    lists.insert(0, (*small, SMALL_LIST.min(wanted.songs)));
    link_popular(&client, &lists, wanted.songs).await?;
    client
        .batch_execute(&format!("{COUNT}; {WORDS_OF_LISTS}; {ARTISTS_OF_LISTS}; {BUILD_INDEXES}; {FOLLOW}; COMMIT"))
        .await
        .context("the lists cannot be completed")?;
    // As autovacuum would in some minutes: until then an index alone does not tell which rows everybody sees.
    let tables = ["songs", "tenant_songs", "tenant_song_counts", "search_words", "tenant_artists"]
        .map(|table| format!("{schema}.{table}"));
    client.batch_execute(&format!("VACUUM (ANALYZE) {}", tables.join(", "))).await?;
    Ok(())
}

/// Inserts the songs; returns their ids.
async fn load_songs(client: &Client, wanted: &Catalogue) -> anyhow::Result<Vec<Uuid>> {
    let genres = client.query("SELECT id::text FROM genres WHERE deleted_at IS NULL ORDER BY id", &[]).await?;
    let genres: Vec<String> = genres.iter().map(|row| row.get(0)).collect();
    anyhow::ensure!(!genres.is_empty(), "there is no genre: seed some first");
    let columns = "id, title, artist, album, title_norm, artist_norm, album_norm, words, genre_id, duration, release_year, \
                   created_at, updated_at";
    let mut sink = pin!(client.copy_in::<_, Bytes>(&format!("COPY songs ({columns}) FROM STDIN")).await?);
    let (mut source, mut ids, mut rows) = (Source::new(wanted.seed), Vec::new(), String::new());
    for number in 0..wanted.songs {
        let song = source.song();
        let id = source.id();
        ids.push(id);
        let genre = genres.get(source.skewed(genres.len(), 2)).map_or("", String::as_str);
        let (title, artist) = (compared(&song.title), compared(&song.artist));
        let album = if song.album.is_empty() { String::new() } else { compared(&song.album) };
        let words = searched(&song.title, &song.artist, &song.album);
        let (seconds, year) = (source.random.u32(120..420), 1_950 + source.skewed(76, 1));
        let at = format!("2020-01-01 00:00:00+00\t2020-01-01 00:{:02}:{:02}+00", number / 60 % 60, number % 60);
        let (name, by, on) = (&song.title, &song.artist, &song.album);
        writeln!(
            rows,
            "{id}\t{name}\t{by}\t{on}\t{title}\t{artist}\t{album}\t{words}\t{genre}\t{seconds}\t{year}\t{at}"
        )?;
        if rows.len() > CHUNK {
            sink.send(std::mem::take(&mut rows).into()).await?;
        }
    }
    sink.send(rows.into()).await?;
    sink.finish().await?;
    Ok(ids)
}

/// Numbers the songs: the first ones are on the most lists.
async fn load_popular(client: &Client, ids: &[Uuid]) -> anyhow::Result<()> {
    let mut sink = pin!(client.copy_in::<_, Bytes>("COPY popular FROM STDIN").await?);
    for (chunk, part) in ids.chunks(CHUNK / 64).enumerate() {
        let from = chunk * (CHUNK / 64);
        let rows: String = part.iter().zip(from..).map(|(id, rank)| format!("{rank}\t{id}\n")).collect();
        sink.send(rows.into()).await?;
    }
    sink.finish().await?;
    Ok(())
}

/// Spreads links over tenants: the n-th list is an n-th as long as the first one.
fn shares(links: u32, tenants: &[Uuid]) -> anyhow::Result<Vec<(Uuid, u32)>> {
    let share = |place: u64| 1_000_000_000 / place;
    let whole: u64 = (1..).zip(tenants).map(|(place, _)| share(place)).sum();
    let of = |(place, tenant): (u64, &Uuid)| Ok((*tenant, u32::try_from(u64::from(links) * share(place) / whole)?));
    (1..).zip(tenants).map(of).collect()
}

/// Draws so many songs for each list; popular ones come more often.
async fn link_popular(client: &Client, lists: &[(Uuid, u32)], songs: u32) -> anyhow::Result<()> {
    let (tenants, sizes): (Vec<String>, Vec<i64>) =
        lists.iter().map(|(id, size)| (id.to_string(), i64::from(*size))).unzip();
    let link = format!(
        "{LINK} (SELECT DISTINCT l.id, floor($3::bigint * power(random(), 3))::integer AS rank \
                 FROM unnest($1::text[]::uuid[], $2::bigint[]) AS l (id, size), generate_series(1, l.size)) t \
         JOIN popular p USING (rank) JOIN songs s ON s.id = p.id"
    );
    client.execute(&link, &[&tenants, &sizes, &i64::from(songs)]).await?;
    Ok(())
}

const DROP_INDEXES: &str = "
    CREATE TEMP TABLE dropped ON COMMIT DROP AS
        SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename IN ('songs', 'tenant_songs')
            AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE connamespace = current_schema()::regnamespace);
    DO $$ DECLARE i record; BEGIN
        FOR i IN SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND tablename IN ('songs', 'tenant_songs')
            AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE connamespace = current_schema()::regnamespace)
        LOOP EXECUTE format('DROP INDEX %I', i.indexname); END LOOP;
    END $$";
const BUILD_INDEXES: &str = "
    DO $$ DECLARE i record; BEGIN FOR i IN SELECT indexdef FROM dropped LOOP EXECUTE i.indexdef; END LOOP; END $$";
const LINK: &str = "
    INSERT INTO tenant_songs (id, tenant_id, song_id, is_active, title_norm, artist_norm, album_norm, genre_id, release_year,
        created_at, updated_at, title, artist, album, duration, is_global, words)
    SELECT md5(t.id::text || s.id)::uuid, t.id, s.id, random() > 0.05, s.title_norm, s.artist_norm, s.album_norm, s.genre_id,
        coalesce(s.release_year, 0), timestamptz '2026-01-01' - random() * interval '2000 days', now(), s.title, s.artist, s.album,
        s.duration, s.tenant_id IS NULL, s.words
    FROM";
const COUNT: &str = "
    INSERT INTO tenant_song_counts (tenant_id, total, approved)
    SELECT tenant_id, count(*), count(*) FILTER (WHERE is_active) FROM tenant_songs WHERE deleted_at IS NULL GROUP BY tenant_id
    ON CONFLICT (tenant_id) DO UPDATE SET total = excluded.total, approved = excluded.approved";
const WORDS_OF_LISTS: &str = "
    INSERT INTO search_words (tenant_id, word)
    SELECT DISTINCT '00000000-0000-0000-0000-000000000000'::uuid, w.word
        FROM songs, unnest(string_to_array(split_part(words, '  ', 1) || ' ' || artist_norm, ' ')) w (word)
        WHERE tenant_id IS NULL AND w.word <> ''
    ON CONFLICT DO NOTHING;
    INSERT INTO search_words (tenant_id, word)
    SELECT DISTINCT tenant_id, w.word
        FROM tenant_songs, unnest(string_to_array(split_part(words, '  ', 1) || ' ' || artist_norm, ' ')) w (word) WHERE w.word <> ''
    ON CONFLICT DO NOTHING";

const ARTISTS_OF_LISTS: &str = "
    INSERT INTO tenant_artists (tenant_id, artist_norm) SELECT DISTINCT tenant_id, artist_norm FROM tenant_songs";
const FOLLOW: &str = "
    DELETE FROM tenant_song_landmarks;
    DELETE FROM tenant_song_landmark_changes;
    DELETE FROM tenant_song_histograms;
    ALTER TABLE tenant_songs ENABLE TRIGGER tenant_songs_are_followed_when_inserted";

#[cfg(test)]
pub(crate) mod tests {
    use testkit::TestDb;
    use testkit::schema::count;

    use super::*;

    /// A schema with a generated catalogue, and a superuser's connection to it.
    pub(crate) async fn generated(wanted: &Catalogue) -> (TestDb, Client) {
        let db = TestDb::new("songlist", crate::MIGRATIONS).await.unwrap();
        fill(&db, wanted).await.unwrap();
        let superuser = superuser(&db).await;
        (db, superuser)
    }

    /// Generates a catalogue in an empty schema.
    pub(crate) async fn fill(db: &TestDb, wanted: &Catalogue) -> anyhow::Result<()> {
        let genre = "INSERT INTO genres (id, name, name_norm, description, created_at, updated_at) \
                     VALUES (md5('Rock')::uuid, 'Rock', 'rock', '', now(), now())";
        superuser(db).await.batch_execute(genre).await?;
        generate(db.admin_url(), &db.schema, wanted).await
    }

    /// A superuser's connection to the schema.
    pub(crate) async fn superuser(db: &TestDb) -> Client {
        let superuser = open(db.admin_url()).await.unwrap();
        superuser.batch_execute(&format!("SET search_path = {}", db.schema)).await.unwrap();
        superuser
    }

    async fn with_titles(seed: u64) -> (TestDb, Vec<String>) {
        let tenants = (1..=5).map(Uuid::from_u128).collect();
        let (db, superuser) = generated(&Catalogue { songs: 1_500, links: 4_000, tenants, seed }).await;
        let titles = "SELECT title || artist FROM songs ORDER BY created_at, id";
        let titles = superuser.query(titles, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
        (db, titles)
    }

    #[tokio::test]
    async fn the_lists_have_the_wished_sizes_and_the_same_seed_makes_the_same_songs() {
        let ((db, titles), (_, again)) = (with_titles(7).await, with_titles(7).await);
        assert_eq!((titles.len(), &titles), (1_500, &again));
        let giant = "tenant_songs WHERE tenant_id = '00000000-0000-0000-0000-000000000001'";
        assert_eq!(count(&db, giant).await.unwrap(), 1_500);
        let links = count(&db, "tenant_songs").await.unwrap();
        assert!((2_500..=4_000).contains(&links), "frequent songs are drawn more than once: {links}");
        let wrong = "tenant_song_counts c WHERE total <> \
                     (SELECT count(*) FROM %.tenant_songs l WHERE l.tenant_id = c.tenant_id)";
        assert_eq!(count(&db, &wrong.replace('%', &db.schema)).await.unwrap(), 0);
        assert_eq!(count(&db, "songs WHERE words = ''").await.unwrap(), 0);
        assert!(count(&db, "search_words").await.unwrap() > 3_000);
        let without_artist = "tenant_songs l WHERE NOT EXISTS (SELECT FROM %.tenant_artists a \
                              WHERE a.tenant_id = l.tenant_id AND a.artist_norm = l.artist_norm)";
        assert_eq!(count(&db, &without_artist.replace('%', &db.schema)).await.unwrap(), 0);
        let empty = TestDb::new("songlist", crate::MIGRATIONS).await.unwrap();
        assert_eq!(indexes(&db).await, indexes(&empty).await);
    }

    async fn indexes(db: &TestDb) -> Vec<String> {
        let sql = "SELECT replace(indexdef, $1, '') FROM pg_indexes WHERE schemaname = $1 ORDER BY 1";
        let client = open(db.admin_url()).await.unwrap();
        client.query(sql, &[&db.schema]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }
}
