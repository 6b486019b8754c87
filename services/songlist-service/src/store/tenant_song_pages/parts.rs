//! Tests of filters and searches by short parts: they find what comparing every row finds, by their indexes.

use testkit::schema::as_tenant;

use super::long_list::{Long, NEWEST};
use super::plans::{plan, see_all_in_indexes};
use super::*;
use crate::store::access_paths::FEW;
use crate::store::indexed_parts::Index;
use crate::store::search::Wanted;

#[tokio::test]
async fn short_parts_of_every_script_and_signs_find_what_comparing_every_row_finds() {
    let list = Long::shared().await;
    let parts = "SELECT DISTINCT part FROM (SELECT substr(title_norm, place, size) AS part FROM tenant_songs, \
                 generate_series(1, 3) place, generate_series(1, 2) size) p \
                 WHERE part ~ '[^a-z0-9]' OR md5(part) < '4' ORDER BY 1";
    let mut parts = list.texts(parts).await;
    assert!(parts.len() > 500, "{}", parts.len());
    parts.extend(["!!!", "! !", "क्ष", "々", "ж7", "zx", "qq", "q", "x", "9"].map(str::to_owned));
    let (mut by_parts, mut rows) = (0, 0);
    for (number, part) in parts.iter().enumerate() {
        let of_part = Filters { title: vec![part.clone()], ..Filters::default() };
        let next = parts.get(number + 1).filter(|next| next.chars().count() <= 2 && part.chars().count() <= 2);
        let filters = match number % 5 {
            1 => Filters { title: of_part.title.iter().chain(next).cloned().collect(), ..of_part },
            2 => Filters { title: Vec::new(), album: of_part.title, ..Filters::default() },
            3 => Filters { is_active: Some(true), ..of_part },
            4 => Filters { artist: vec!["ा".to_owned(), "a".to_owned()], ..of_part },
            _ => of_part,
        };
        let (found, is_by_parts) = list.check(&filters).await;
        by_parts += usize::from(is_by_parts);
        rows += found;
    }
    assert!(by_parts > parts.len() / 10 * 9 && rows > 10_000, "{by_parts} of {}, {rows} rows", parts.len());
}

#[tokio::test]
async fn a_part_with_trigrams_beside_one_without_finds_what_comparing_every_row_finds() {
    let list = Long::shared().await;
    let texts = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
    let mut all = 0;
    for (title, album) in [
        (texts(&["ban"]), texts(&["a"])),
        (texts(&["o", "e"]), texts(&["vol"])),
        (texts(&["tra", "lem"]), texts(&["an", "ि"])),
        (texts(&["tra", "an", "ि", "!!!"]), texts(&["o"])),
    ] {
        let filters = Filters { title, album, ..Filters::default() };
        let (found, is_by_parts) = list.check(&filters).await;
        assert!(is_by_parts, "{filters:?}");
        all += found;
    }
    assert!(all > 10, "{all}");
}

#[tokio::test]
async fn parts_of_several_texts_and_genres_find_what_comparing_every_row_finds() {
    let list = Long::shared().await;
    let rows = "SELECT title_norm, artist_norm, album_norm, genre_id::text FROM tenant_songs WHERE length(title_norm) > 5 \
                AND length(artist_norm) > 5 AND length(album_norm) > 5 ORDER BY md5(id::text) LIMIT 120";
    let (mut all, mut by_parts) = (0, 0);
    for (number, row) in list.superuser.query(rows, &[]).await.unwrap().iter().enumerate() {
        // Parts of no letter, one, two and three, of each text beside each of the others, and another part of some.
        let part = |column: usize, size: usize, other: Option<&str>| {
            let text: String = row.get::<_, String>(column).chars().skip(number % 3).take(size).collect();
            [Some(text), other.map(str::to_owned)].into_iter().flatten().filter(|part| !part.is_empty()).collect()
        };
        let genres = [None, Some(vec![row.get::<_, String>(3)]), Some(vec![row.get(3), Uuid::nil().to_string()])];
        let filters = Filters {
            title: part(0, number % 4, (number % 16 == 0).then_some("lo")),
            artist: part(1, number / 4 % 4, (number % 7 == 0).then_some("qz")),
            album: part(2, number / 16 % 4, None),
            genres: genres[number % 3].as_ref().map(|ids| ids.iter().map(|id| Uuid::try_parse(id).unwrap()).collect()),
            is_active: (number % 5 == 0).then_some(true),
            ..Filters::default()
        };
        let (found, is_by_parts) = list.check(&filters).await;
        by_parts += usize::from(is_by_parts);
        all += found;
    }
    assert!(by_parts > 60 && all > 5_000, "{by_parts} by parts, {all} rows");
}

#[tokio::test]
async fn all_parts_and_the_genre_are_conditions_of_one_index() {
    let list = Long::shared().await;
    let client = kit_pg::bootstrap::open(&list.db.url().unwrap()).await.unwrap();
    client.batch_execute(&as_tenant(list.tenant.0)).await.unwrap();
    let off = "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off";
    client.batch_execute(off).await.unwrap();
    let texts = |part: &str| vec![part.to_owned()];
    let genres = Some(vec![Uuid::nil()]);
    let of = |title: &str, artist: &str, album: &str| Filters {
        title: texts(title),
        artist: texts(artist),
        album: texts(album),
        genres: genres.clone(),
        ..Filters::default()
    };
    let (tenant, genre) = (list.tenant.0, format!("ARRAY['{}'::uuid]", Uuid::nil()));
    for (filters, values, index, conditions) in [
        (
            of("love", "beat", "abb"),
            format!("'{tenant}', '%love%', '%beat%', '%abb%', {genre}"),
            Index::Trigrams,
            ["title_norm ~~", "artist_norm ~~", "album_norm ~~", "ARRAY[genre_id] &&"],
        ),
        (
            of("love", "an", "a"),
            format!("'{tenant}', ARRAY['lo', 'ov', 've'], '%love%', ARRAY['an'], ARRAY['a'], {genre}"),
            Index::Letters,
            [
                "pairs((title_norm)::text) @>",
                "pairs((artist_norm)::text) &&",
                "pairs((album_norm)::text) &&",
                "ARRAY[genre_id] &&",
            ],
        ),
    ] {
        let plan = plan(&client, &access_path::by_parts(list.tenant, &filters, index), &values).await;
        let mut lines = plan.lines().filter(|line| line.contains("Index Cond: ((tenant_id = "));
        let has_all = |line: &str| conditions.iter().all(|condition| line.contains(condition));
        let name = if index == Index::Trigrams { "tenant_songs_texts" } else { "tenant_songs_pairs" };
        assert!(plan.contains(&format!("Bitmap Index Scan on {name}")) && lines.any(has_all), "{plan}");
    }
    client.batch_execute("ROLLBACK").await.unwrap();
}

#[tokio::test]
async fn a_search_beside_filters_finds_what_comparing_every_row_finds() {
    let list = Long::shared().await;
    let rows = "SELECT title_norm, artist_norm, genre_id::text, split_part(trim(words), ' ', 1) FROM tenant_songs \
                WHERE title_norm ~ '^[a-z]{5,}$' AND artist_norm ~ '^[a-z]{5,}$' ORDER BY md5(id::text) LIMIT 40";
    let mut all = 0;
    for (number, row) in list.superuser.query(rows, &[]).await.unwrap().iter().enumerate() {
        let [title, artist, genre, word] = [0, 1, 2, 3].map(|column| row.get::<_, String>(column));
        let first = |text: &str, letters: usize| text.chars().take(letters).collect::<String>();
        let artists = format!(
            "SELECT DISTINCT artist_norm FROM tenant_songs WHERE strpos(artist_norm, '{}') > 0",
            first(&artist, 2)
        );
        let filters = Filters {
            title: (number % 3 == 0).then(|| first(&title, number % 4)).into_iter().collect(),
            artist: (number % 3 == 1).then(|| first(&artist, 2)).into_iter().collect(),
            artists: if number % 6 == 1 { Some(list.texts(&artists).await) } else { None },
            genres: (number % 3 == 2).then(|| vec![Uuid::try_parse(&genre).unwrap()]),
            is_active: (number % 5 == 0).then_some(true),
            ..Filters::default()
        };
        let part = first(&title, 3);
        for (stage, condition) in [
            (Stage::Words(vec![Wanted::OneOf(vec![word.clone()])]), format!("strpos(words, ' {word} ') > 0")),
            (
                Stage::Part(part.clone()),
                format!("strpos(title_norm || ' ' || artist_norm || ' ' || album_norm, '{part}') > 0"),
            ),
        ] {
            let hits = list.read(async |conn: &Conn| hits(conn, list.tenant, Length::Long, &filters, &stage).await);
            let mut found: Vec<Uuid> = hits.await.into_iter().map(|hit| hit.id).collect();
            let matching = list.texts(&format!("SELECT id::text FROM tenant_songs WHERE {condition}")).await;
            let mut compared = list.compared(&filters).await;
            compared.retain(|id| matching.contains(&id.to_string()));
            if compared.len() > 1_000 {
                continue;
            }
            found.sort_unstable();
            compared.sort_unstable();
            assert_eq!(found, compared, "{stage:?} {filters:?}");
            all += found.len();
        }
    }
    assert!(all > 1_000, "{all}");
}

#[tokio::test]
async fn what_would_read_the_index_whole_or_too_often_is_no_condition_of_it() {
    let list = Long::shared().await;
    let client = kit_pg::bootstrap::open(&list.db.url().unwrap()).await.unwrap();
    client.batch_execute(&as_tenant(list.tenant.0)).await.unwrap();
    let off = "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off";
    client.batch_execute(off).await.unwrap();
    let texts = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
    let of = |title: &[&str], artist: &[&str], album: &[&str]| Filters {
        title: texts(title),
        artist: texts(artist),
        album: texts(album),
        ..Filters::default()
    };
    let tenant = list.tenant.0;
    let twenty = |part: &str| format!("ARRAY[{}]", vec![format!("'%{part}%'"); 20].join(","));
    let many = of(&["love"; 20], &["beat"; 20], &["abba"; 20]);
    let values_of_many = format!("'{tenant}', {}, {}, {}", twenty("love"), twenty("abba"), twenty("beat"));
    let in_order = format!("'{tenant}', {}, {}, {}", twenty("love"), twenty("beat"), twenty("abba"));
    // The artists are looked up, because they are fewer.
    let fewer = Filters { artists: Some(texts(&["x"])), ..of(&["love"; 20], &["beat"; 19], &[]) };
    let values_of_fewer = format!("'{tenant}', {}, {}", twenty("love"), twenty("beat"));
    for query in [found(list.tenant, &fewer), filtered(list.tenant, &fewer)] {
        let plan = plan(&client, &query, &values_of_fewer).await;
        let condition = plan.lines().find(|line| line.contains("Index Cond: ((tenant_id")).unwrap_or_default();
        assert!(condition.contains("artist_norm ~~") && !condition.contains("title_norm"), "{plan}");
    }
    let broad = of(&["love"], &["an"], &["a"]);
    let values_of_broad = format!("'{tenant}', '%love%', '%a%', '%an%'");
    let in_order_of_broad = format!("'{tenant}', '%love%', '%an%', '%a%'");
    for (query, values) in [
        (found(list.tenant, &many), &values_of_many),
        (filtered(list.tenant, &many), &values_of_many),
        (access_path::by_parts(list.tenant, &many, Index::Trigrams), &in_order),
        (found(list.tenant, &broad), &values_of_broad),
        (filtered(list.tenant, &broad), &values_of_broad),
        (beside_words(list.tenant, &broad), &in_order_of_broad),
    ] {
        let plan = plan(&client, &query, values).await;
        let condition = plan.lines().find(|line| line.contains("Index Cond: ((tenant_id")).unwrap_or_default();
        assert!(condition.contains("title_norm ~~"), "{plan}");
        assert!(!condition.contains("artist_norm") && !condition.contains("album_norm"), "{plan}");
    }
    let few_artists = Filters { artists: Some(texts(&["a", "b"])), ..of(&["love"], &["a"], &[]) };
    let values = format!("'{tenant}', '%love%', '%a%'");
    for query in [found(list.tenant, &few_artists), filtered(list.tenant, &few_artists)] {
        let plan = plan(&client, &query, &values).await;
        assert!(!plan.lines().any(|line| line.contains("Index Cond") && line.contains("artist_norm")), "{plan}");
    }
    let of_artists = access_path::of_artists(list.tenant, &few_artists, few_artists.artists.as_ref().unwrap());
    let plan_of_artists = plan(&client, &of_artists, &format!("'{tenant}', '%love%', ARRAY['a', 'b']")).await;
    assert!(
        plan_of_artists.contains("tenant_songs_by_artist") && !plan_of_artists.contains("tenant_songs_texts"),
        "{plan_of_artists}"
    );
    // More artists than a few, which a search once looked up one by one, and genre and trigrams beside a word.
    let genres = Some(vec![Uuid::nil()]);
    let filters = Filters { genres, ..of(&["tra"], &["an"], &["a"]) };
    let stage = Stage::Words(vec![Wanted::OneOf(texts(&["love"]))]);
    let query = on_list::hits(beside_words(list.tenant, &filters), Length::Long, &stage, on_list::with_part);
    let values = format!("'{tenant}', '%tra%', '%an%', '%a%', ARRAY['{}'::uuid], ARRAY['love'], 1000", Uuid::nil());
    let plan_of_words = plan(&client, &query, &values).await;
    let condition = plan_of_words.lines().find(|line| line.contains("Index Cond: ((tenant_id")).unwrap_or_default();
    let has_all = ["title_norm ~~", "ARRAY[genre_id] &&", "string_to_array(words"].map(|part| condition.contains(part));
    let others = ["artist_norm", "album_norm"].map(|other| condition.contains(other));
    assert!(
        has_all == [true; 3] && others == [false; 2] && !plan_of_words.contains("tenant_artists"),
        "{plan_of_words}"
    );
    // Some artists, each of which would be looked up beside each of the words, or beside the part of a search.
    let some_artists = Filters { artists: Some(texts(&["a", "ab", "ac"])), ..of(&[], &["a"], &[]) };
    let words = on_list::hits(beside_words(list.tenant, &some_artists), Length::Long, &stage, on_list::with_part);
    let part = Stage::Part("ano".to_owned());
    let part = on_list::hits(beside_words(list.tenant, &some_artists), Length::Long, &part, on_list::with_part);
    for (query, values, lookups) in [
        (words, format!("'{tenant}', '%a%', ARRAY['love'], 1000"), 1),
        (part, format!("'{tenant}', '%a%', '%ano%', '%ano%', '%ano%', 1000"), 3),
    ] {
        let plan = plan(&client, &query, &values).await;
        let is_condition = |line: &&str| line.contains("Index Cond: ((tenant_id");
        let conditions: Vec<&str> = plan.lines().filter(is_condition).collect();
        let is_looked_up = |line: &&str| line.contains("artist_norm = ") || line.contains("%a%");
        assert!(conditions.len() == lookups && !conditions.iter().any(is_looked_up), "{plan}");
    }
    client.batch_execute("ROLLBACK").await.unwrap();
}

#[tokio::test]
async fn a_page_behind_a_cursor_and_a_list_of_two_columns_are_found_by_short_parts_too() {
    let list = Long::shared().await;
    let frequent = "SELECT part FROM (SELECT substr(title_norm, 1, 2) AS part FROM tenant_songs WHERE album_norm <> '' \
                    AND title_norm ~ '^[^a-z0-9]{2}' AND album_norm ~ '[^a-z0-9]') p GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1";
    let part = list.texts(frequent).await.remove(0);
    let letter = part.chars().next().unwrap().to_string();
    let filters = Filters { title: vec![part], album: vec![letter], ..Filters::default() };
    let compared = list.compared(&filters).await;
    assert!(compared.len() >= 3, "{filters:?}");
    let window = Window { rows: 2, offset: 0 };
    let page = async |after: Option<Key>| {
        let page = list.read(async |conn: &Conn| {
            let path = access_path(conn, list.tenant, &filters, false).await?;
            assert!(matches!(path, AccessPath::ByParts(..)), "{filters:?}");
            few_matching(conn, list.tenant, &filters, NEWEST, after.as_ref(), window, false).await
        });
        page.await.unwrap().1
    };
    let first = page(None).await;
    let second = page(Some(Key::Time(first[1].created_at, first[1].id))).await;
    let ids: Vec<Uuid> = first.iter().chain(&second).map(|row| row.id).collect();
    assert_eq!(ids, compared[..ids.len()]);
    assert!(ids.len() >= 3);
}

#[tokio::test]
async fn frequent_parts_are_not_found_by_indexes_and_without_a_count_only_rare_ones_are() {
    let list = Long::new().await;
    let of_share = |from: u32, to: u32| {
        format!(
            "SELECT part FROM (SELECT DISTINCT id, substr(title_norm, place, 2) AS part FROM tenant_songs, generate_series(1, 60) place \
             WHERE tenant_id = '{}') p WHERE part ~ '^[a-z]{{2}}$' GROUP BY 1 HAVING count(*) BETWEEN {from} AND {to} ORDER BY 1",
            list.tenant.0
        )
    };
    let of_title = |part: &str| Filters { title: vec![part.to_owned()], ..Filters::default() };
    let most_frequent = list.texts(&of_share(3_500, 25_000)).await.remove(0);
    let other = list.texts(&of_share(750, 1_000)).await.remove(0);
    let sample = list.read(async |conn: &Conn| tenant_song_landmarks::sample(conn, list.tenant).await).await;
    assert!(sample.len() > 500, "{}", sample.len());
    let few = |length: i64, most: i64, part: &str| short_parts::are_few(&sample, length, most, &of_title(part));
    assert!(!few(25_000, 150_000, &most_frequent), "{most_frequent} is in more than a tenth");
    assert!(few(1_000_000, 150_000, &other) && !few(1_000_000, FEW, &other), "{other} is in 30,000 to 40,000");
    assert!(few(1_000_000, FEW, "qq"));
    assert!(short_parts::is_frequent(&sample, &most_frequent) && !short_parts::is_frequent(&sample, "qq"));
    let path = async |filters: Filters, counted: bool| {
        list.read(async |conn: &Conn| access_path(conn, list.tenant, &filters, counted).await).await
    };
    for counted in [true, false] {
        let rare = Filters { genres: Some(vec![Uuid::nil()]), ..of_title(&most_frequent) };
        assert!(matches!(path(rare, counted).await, AccessPath::ByParts(..)), "no link has this genre");
        assert!(matches!(path(of_title("x"), counted).await, AccessPath::ByParts(..)), "a letter that few titles have");
    }
    assert!(
        matches!(path(of_title(""), true).await, AccessPath::InIndex(50_000)),
        "25,000 are counted and sorted at once"
    );
    assert!(matches!(path(of_title(""), false).await, AccessPath::InOrder), "a page is read in the order of the list");
    let of_artists = |artists: Vec<String>| Filters { artists: Some(artists), ..of_title("qq") };
    let all = sample.iter().map(|row| row.artist_norm.clone()).collect();
    assert!(matches!(path(of_artists(all), true).await, AccessPath::ByParts(_, 150_000)), "artists of the whole list");
    let links_of = |artist: &str| sample.iter().filter(|row| row.artist_norm == artist).count();
    let one =
        sample.iter().map(|row| row.artist_norm.clone()).min_by_key(|artist| links_of(artist)).into_iter().collect();
    assert!(matches!(path(of_artists(one), true).await, AccessPath::ByParts(_, 50_000)), "an artist is looked up");
    list.superuser.batch_execute("DELETE FROM tenant_song_landmarks").await.unwrap();
    assert!(matches!(path(of_title("qq"), true).await, AccessPath::InIndex(_)), "a short list is read through");
}

#[tokio::test]
async fn a_search_for_a_short_part_finds_it_in_titles_albums_and_artists_of_a_long_list() {
    let list = Long::new().await;
    let parts = "SELECT DISTINCT substr(title_norm, 2, 2) FROM tenant_songs WHERE title_norm ~ '^[ア-ン]{3}' ORDER BY 1 LIMIT 40";
    let mut all = 0;
    for part in list.texts(parts).await {
        let stage = Stage::Part(part.clone());
        let hits =
            list.read(async |conn: &Conn| hits(conn, list.tenant, Length::Long, &Filters::default(), &stage).await);
        let mut found: Vec<Uuid> = hits.await.into_iter().map(|hit| hit.id).collect();
        found.sort_unstable();
        let compared = "SELECT id::text FROM tenant_songs WHERE tenant_id::text = $1 \
                        AND strpos(title_norm || ' ' || album_norm || ' ' || artist_norm, $2) > 0 ORDER BY id";
        let rows = list.superuser.query(compared, &[&list.tenant.0.to_string(), &part]).await.unwrap();
        assert_eq!(found, rows.iter().map(|row| Uuid::try_parse(row.get(0)).unwrap()).collect::<Vec<_>>(), "{part}");
        all += found.len();
    }
    assert!(all > 100, "{all}");
    let most_frequent = Stage::Part("ा".to_owned());
    list.superuser.batch_execute("UPDATE tenant_songs SET title_norm = title_norm || 'ा'").await.unwrap();
    let hits =
        list.read(async |conn: &Conn| hits(conn, list.tenant, Length::Long, &Filters::default(), &most_frequent).await);
    assert_eq!(hits.await.len(), 1_000, "of what is in every title the list is read until enough are found");
    let sample = list.read(async |conn: &Conn| tenant_song_landmarks::sample(conn, list.tenant).await).await;
    assert!(short_parts::is_frequent(&sample, "ा"));
}

#[tokio::test]
async fn the_few_links_of_one_visibility_are_counted_and_found_in_an_index_of_their_own() {
    let list = Long::new().await;
    let own = "UPDATE tenant_songs SET is_global = false WHERE md5(id::text) < '1'; \
               UPDATE songs SET deleted_at = now() WHERE md5(id::text) < '2'";
    list.superuser.batch_execute(own).await.unwrap();
    let mut all = Vec::new();
    for visibility in [Visibility::Tenant, Visibility::Global] {
        for is_active in [None, Some(true), Some(false)] {
            let filters = Filters { visibility: Some(visibility), is_active, ..Filters::default() };
            let matching = format!(
                "SELECT l.id::text FROM tenant_songs l JOIN songs s ON s.id = l.song_id WHERE l.tenant_id = '{}' \
                 AND l.deleted_at IS NULL AND s.deleted_at IS NULL AND l.is_global = {} AND l.is_active = {} \
                 ORDER BY l.created_at DESC, l.id DESC",
                list.tenant.0,
                visibility == Visibility::Global,
                is_active.map_or("l.is_active".to_owned(), |active| active.to_string()),
            );
            let matching = list.texts(&matching).await;
            let window = Window { rows: 20, offset: 10 };
            let found = async |conn: &Conn| {
                let counted = count(conn, list.tenant, &filters).await?;
                let page = super::list(conn, list.tenant, &filters, NEWEST, None, window, Some(counted)).await?;
                Ok((counted, page))
            };
            let (counted, page) = list.read(found).await;
            assert_eq!(usize::try_from(counted).unwrap(), matching.len(), "{filters:?}");
            let page: Vec<String> = page.iter().map(|row| row.id.to_string()).collect();
            assert_eq!(page, matching[10..30], "{filters:?}");
            all.push(counted);
        }
    }
    assert!(all.iter().all(|count| *count > 40), "{all:?}");
    let client = kit_pg::bootstrap::open(&list.db.url().unwrap()).await.unwrap();
    see_all_in_indexes(&list.superuser, "tenant_songs").await;
    client.batch_execute(&as_tenant(list.tenant.0)).await.unwrap();
    for (visibility, index) in [(Visibility::Tenant, "own"), (Visibility::Global, "global")] {
        let filters = Filters { visibility: Some(visibility), ..Filters::default() };
        let query = found(list.tenant, &filters).select((tenant_songs::id, tenant_songs::created_at));
        let plan = plan(&client, &query, &format!("'{}'", list.tenant.0)).await;
        assert!(plan.contains(&format!("Index Only Scan using tenant_songs_newest_{index}")), "{filters:?}: {plan}");
    }
    client.batch_execute("ROLLBACK").await.unwrap();
}
