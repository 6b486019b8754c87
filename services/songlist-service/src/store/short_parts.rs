//! Parts of titles and albums that are too short for a trigram, such as a word of two letters, or "!!!". Texts that are not of Latin
//! letters and digits alone have an index of their letters and pairs of letters. In the others two letters or digits are found by the
//! trigrams that they begin; a single one is in so many that the list is read in its order.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;
use futures_util::future::try_join;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, like_any};

use super::filters::{Filters, has_trigram};
use super::search::Condition;
use super::tenant_songs::linked;
use crate::schema::tenant_songs;

/// With more parts than this in a filter, finding them takes longer than reading a list.
const MOST: usize = 3;
/// So many of the newest and as many of the oldest links tell how frequent parts are on a list.
const SAMPLE: i64 = 500;
/// With more links of the sample than this, finding all takes longer than reading the list. Trigrams of two Latin letters take twice as
/// long as letters.
const FREQUENT: usize = 100;
const FREQUENT_LATIN: usize = 50;

#[diesel::declare_sql_function]
extern "SQL" {
    /// The letters of a text and the pairs of neighbouring ones; `deploy/postgres/init.sql` makes it.
    fn letters_and_pairs(text: Text) -> Array<Text>;
    fn strpos(text: Text, part: Text) -> Integer;
}

/// The condition of the index of letters.
const HAS_LETTERS: &str = "(tenant_songs.title_norm ~ '[^a-z0-9]' OR tenant_songs.album_norm ~ '[^a-z0-9]')";

/// True for links whose title and album contain one of the parts that the filters want of each; `None` when not all of these are short,
/// or they are too many.
pub(super) fn condition(filters: &Filters) -> Option<Condition<tenant_songs::table>> {
    let (titles, albums) = (filters.title.as_slice(), filters.album.as_slice());
    let wanted = titles.len() + albums.len();
    if wanted == 0 || wanted > MOST || !(are_short(titles) && are_short(albums)) {
        return None;
    }
    let title = (!titles.is_empty()).then(|| title_contains(titles));
    let album = (!albums.is_empty()).then(|| album_contains(albums));
    match (title, album) {
        (Some(title), Some(album)) => Some(Box::new(title.and(album))),
        (title, album) => title.or(album),
    }
}

/// True for links of which the title or the album contains this part; `None` when it is not short.
pub(super) fn title_or_album_with(part: &str) -> Option<Condition<tenant_songs::table>> {
    let parts = [part.to_owned()];
    are_short(&parts).then(|| -> Condition<_> { Box::new(title_contains(&parts).or(album_contains(&parts))) })
}

/// True when the parts that are wanted are likely in more than a tenth of the links, or a twentieth for two Latin letters.
pub(super) async fn are_frequent(conn: &Conn, id: TenantId, filters: &Filters) -> Result<bool, TxError> {
    use tenant_songs as t;
    let texts = || linked(id).limit(SAMPLE).select((t::title_norm, t::album_norm));
    let (newest, oldest) = (texts().order((t::created_at.desc(), t::id.desc())), texts().order((t::created_at, t::id)));
    let (mut one, mut other) = (conn, conn);
    let (newest, oldest) = try_join(newest.load(&mut one), oldest.load(&mut other)).await?;
    let has = |parts: &[String], text: &str| parts.is_empty() || parts.iter().any(|part| text.contains(part.as_str()));
    let texts = newest.iter().chain(&oldest);
    let found =
        texts.filter(|(title, album): &&(String, String)| has(&filters.title, title) && has(&filters.album, album));
    let is_by_trigrams = filters.title.iter().chain(&filters.album).any(|part| is_latin(part));
    Ok(found.count() > if is_by_trigrams { FREQUENT_LATIN } else { FREQUENT })
}

fn are_short(parts: &[String]) -> bool {
    let is_short = |part: &String| match part.chars().count() {
        0 => false,
        1 => !is_latin(part),
        2 => true,
        // A longer one without a trigram is compared as well, which is not written for several.
        _ => parts.len() == 1 && !has_trigram(part),
    };
    parts.iter().all(is_short)
}

/// True for Latin letters and digits, in the compared form.
fn is_latin(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

/// A macro, because diesel has no type for either of two columns.
macro_rules! contains {
    ($name:ident, $column:ident) => {
        /// True for links of which this text contains one of the parts.
        fn $name(parts: &[String]) -> Condition<tenant_songs::table> {
            let letters = || letters_and_pairs(tenant_songs::$column);
            let has_letters = || sql::<Bool>(HAS_LETTERS);
            if let [part] = parts
                && part.chars().count() > 2
            {
                // Postgres finds them by this index only, because nothing else here is a condition of another one.
                let contains = strpos(tenant_songs::$column, part.clone()).gt(0);
                return Box::new(has_letters().and(letters().contains(pairs_of(part))).and(contains));
            }
            let by_letters = has_letters().and(letters().overlaps_with(parts.to_vec()));
            match followed(parts) {
                patterns if patterns.is_empty() => Box::new(by_letters),
                patterns => Box::new(like_any(tenant_songs::$column, patterns).or(by_letters)),
            }
        }
    };
}
contains!(title_contains, title_norm);
contains!(album_contains, album_norm);

/// Patterns for two Latin letters or digits in a text of nothing else: each has a trigram. The compared forms have no spaces, so a text is one word.
fn followed(parts: &[String]) -> Vec<String> {
    let latin = parts.iter().filter(|part| is_latin(part));
    latin
        .flat_map(|part| ('a'..='z').chain('0'..='9').map(move |c| format!("%{part}{c}%")).chain([format!("%{part}")]))
        .collect()
}

/// The pairs of letters of a part.
fn pairs_of(part: &str) -> Vec<String> {
    let letters: Vec<char> = part.chars().collect();
    letters.windows(2).map(|pair| pair.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use kit::ids::TenantId;
    use kit_pg::{Conn, Pool, Scope, Window};

    use super::*;
    use crate::generate::Catalogue;
    use crate::store::filters::{Order, SortBy};
    use crate::store::tenant_song_pages::few_matching;

    /// Pages of a list of 25,000, which is long enough for the indexes.
    #[tokio::test]
    async fn short_parts_of_every_script_and_signs_find_what_comparing_every_title_finds() {
        let tenant = TenantId::new();
        let tenants = vec![tenant.0, TenantId::new().0];
        let (db, superuser) =
            crate::generate::tests::generated(&Catalogue { songs: 25_000, links: 26_000, tenants, seed: 5 }).await;
        let named = "UPDATE tenant_songs SET title_norm = n.title FROM (SELECT id, (ARRAY['!!!', 'u2', '99', 'a中b', 'क्ष', 'zxé'])\
                     [row_number() OVER ()] AS title FROM tenant_songs LIMIT 6) n WHERE n.id = tenant_songs.id";
        superuser.batch_execute(named).await.unwrap();
        let parts = "SELECT DISTINCT part FROM (SELECT substr(title_norm, place, size) AS part FROM tenant_songs, \
                     generate_series(1, 3) place, generate_series(1, 2) size) p \
                     WHERE part ~ '[^a-z0-9]' OR md5(part) < '4' AND length(part) > 1 ORDER BY 1";
        let mut parts: Vec<String> = superuser.query(parts, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
        assert!(parts.len() > 500, "{}", parts.len());
        parts.extend(["!!!", "क्ष", "々", "ж7", "zx", "qq"].map(str::to_owned));
        let pool = Pool::new(&db.config().unwrap(), &[]);
        let order = Order { by: SortBy::CreatedAt, descending: true };
        let mut all = 0;
        for (number, part) in parts.iter().enumerate() {
            let mut wanted = vec![part.clone()];
            if number % 4 == 0 && parts.get(number + 1).is_some_and(|next| next.chars().count() <= 2) {
                wanted.push(parts[number + 1].clone());
            }
            let filters = Filters { title: wanted.clone(), ..Filters::default() };
            assert!(condition(&filters).is_some(), "{wanted:?}");
            let window = Window { rows: 10, offset: 0 };
            let page = async |conn: &Conn| few_matching(conn, tenant, &filters, order, None, window, true).await;
            let (found, _) = pool.read(Scope::Tenant(tenant).search(), page).await.unwrap().unwrap();
            let compared = "SELECT count(*) FROM tenant_songs l WHERE l.tenant_id::text = $1 \
                            AND EXISTS (SELECT FROM unnest($2::text[]) part WHERE strpos(l.title_norm, part) > 0)";
            let expected = superuser.query_one(compared, &[&tenant.0.to_string(), &wanted]).await.unwrap();
            assert_eq!(found, expected.get::<_, i64>(0), "{wanted:?}");
            all += found;
        }
        assert!(all > 10_000, "{all}");
    }

    #[test]
    fn a_single_latin_letter_or_digit_and_what_has_a_trigram_are_not_looked_for_by_short_parts() {
        let found = |title: &[&str], album: &[&str]| {
            let texts = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect();
            condition(&Filters { title: texts(title), album: texts(album), ..Filters::default() }).is_some()
        };
        for parts in [["東京"], ["愛"], ["u2"], ["!!!"], ["प्र"], ["qz"]] {
            assert!(found(&parts, &[]) && found(&[], &parts) && found(&parts, &["愛"]), "{parts:?}");
        }
        assert!(found(&["東京", "qz", "!"], &[]), "several short ones");
        for parts in [
            &["q"] as &[&str],
            &[""],
            &["love"],
            &["東京都"],
            &["東京", "q"],
            &["!!!", "東"],
            &["aa", "bb", "cc", "dd"],
        ] {
            assert!(!found(parts, &[]) && !found(&["愛"], parts), "{parts:?}");
        }
        assert!(!found(&[], &[]), "nothing is wanted");
        assert_eq!(pairs_of("प्र"), ["प्", "्र"]);
        assert_eq!(followed(&["東京".to_owned(), "qz".to_owned()]).len(), 37);
    }
}
