//! A list is searched, by people who mistype.

use devstack::{Person, World};
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

/// A search, and the song that is meant.
#[derive(Deserialize)]
struct Mistyped {
    query: String,
    title: String,
    artist: String,
}

/// Titles and artists that a search finds, the best first.
async fn found(person: &Person, path: &str, q: &str) -> Vec<(String, String)> {
    let request = person.client.request(Method::GET, path).query(&[("q", q)]);
    let reply = person.client.send(request).await.unwrap().expect(200).unwrap();
    let rows = reply.at("/data").as_array().unwrap();
    assert_eq!(rows.len(), usize::try_from(reply.at("/count").as_i64().unwrap().min(10)).unwrap(), "{q}");
    let text = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap().to_owned();
    rows.iter().map(|row| (text(row, "title"), text(row, "artist"))).collect()
}

async fn import(person: &Person, columns: &str, file: Vec<u8>, failed: u64) {
    let path = format!("/songs/import/?genre=Rock{columns}");
    let request = person.client.request(Method::POST, &path).header("content-type", "text/csv").body(file);
    let report = person.client.send(request).await.unwrap().expect(200).unwrap();
    assert_eq!(report.at("/data/failed"), &json!(failed), "{}", report.text);
}

#[tokio::test]
async fn a_mistyped_search_of_the_real_list_has_the_song_among_the_first_three() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    world.root.create("/genres/", json!({ "name": "Rock" })).await;
    let file = std::fs::read(format!("{DATA}/classic-rock-song-list.csv")).unwrap();
    let columns = "&columns=title:Song%20Clean,artist:ARTIST%20CLEAN,release_year:Release%20Year";
    // Two of its rows have no valid year.
    import(&own.admin, columns, file, 2).await;
    let mistyped = std::fs::read_to_string(format!("{DATA}/mistyped.json")).unwrap();
    let searches: Vec<Mistyped> = serde_json::from_str(&mistyped).unwrap();
    assert_eq!(searches.len(), 100);
    for (person, path) in [(&own.listener, "/tenant/songs/"), (&own.admin, "/songs/")] {
        let mut missed = Vec::new();
        for search in &searches {
            let songs = found(person, path, &search.query).await;
            let meant = (search.title.clone(), search.artist.clone());
            if !songs.iter().take(3).any(|song| *song == meant) {
                missed.push(format!("{}: {:?}", search.query, songs.iter().take(3).collect::<Vec<_>>()));
            }
        }
        assert!(missed.len() <= 3, "{path}: {} are missed\n{}", missed.len(), missed.join("\n"));
    }
    world.stop().await;
}

#[tokio::test]
async fn songs_of_a_release_without_words_are_found_after_the_next_run_of_a_job() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let db = &world.stack.db;
    let (songlist, scheduler) = (&db.songlist.schema, &db.scheduler.schema);
    let superuser = kit_pg::bootstrap::open(db.songlist.admin_url()).await.unwrap();
    let forget = format!(
        "UPDATE {songlist}.songs SET words = ''; UPDATE {songlist}.tenant_songs SET words = ''; \
         DELETE FROM {songlist}.search_words; UPDATE {scheduler}.jobs SET next_run_at = now()"
    );
    superuser.batch_execute(&forget).await.unwrap();
    for (person, path) in [(&own.listener, "/tenant/songs/"), (&own.admin, "/songs/")] {
        testkit::eventually("a mistyped search finds the song", || async {
            found(person, path, "sogn alpha").await.first().map(|(title, _)| assert_eq!(title, "Song Alpha"))
        })
        .await;
    }
    world.stop().await;
}

#[tokio::test]
async fn cf_04_words_accents_signs_and_scripts_are_found_as_people_type_them() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    world.root.create("/genres/", json!({ "name": "Rock" })).await;
    let songs = "title,artist,album\n\
        T.N.T.,AC/DC,High Voltage\nStairway to Heaven,Led Zeppelin,IV\nHalo,Beyoncé,I Am\nBohemian Rhapsody,Queen,\n\
        Let It Be,The Beatles,\nWanted Dead or Alive,Bon Jovi,\nHotel California,Eagles,\nMoney,Pink Floyd,\n\
        कल हो ना हो,Sonu Nigam,\nकुल,Somebody,\nFirst,!!!,\nSecond,???,\n上を向いて歩こう,坂本九,\nЁлка,Кино,\n\
        Don't Stop Me Now,Queen,\nSimon & Garfunkel Song,Simon & Garfunkel,\n";
    import(&own.admin, "", songs.into(), 0).await;
    for (q, title) in [
        ("acdc", "T.N.T."),
        ("ac dc", "T.N.T."),
        ("tnt", "T.N.T."),
        ("tnt acdc", "T.N.T."),
        ("led zepelin", "Stairway to Heaven"),
        ("led zepelin stairway", "Stairway to Heaven"),
        ("beyonce", "Halo"),
        ("queen bohemian", "Bohemian Rhapsody"),
        ("beatles let it be", "Let It Be"),
        ("bon jovi wanted dead", "Wanted Dead or Alive"),
        ("eagels hotel", "Hotel California"),
        ("pink floid money", "Money"),
        ("कल", "कल हो ना हो"),
        ("कुल", "कुल"),
        ("!!!", "First"),
        ("???", "Second"),
        ("上を向いて", "上を向いて歩こう"),
        ("елка", "Ёлка"),
        ("dont stop", "Don't Stop Me Now"),
        ("simon and garfunkel", "Simon & Garfunkel Song"),
        ("high voltage", "T.N.T."),
    ] {
        for (person, path) in [(&own.listener, "/tenant/songs/"), (&own.admin, "/songs/")] {
            let songs = found(person, path, q).await;
            assert_eq!(songs.first().map(|(title, _)| title.as_str()), Some(title), "{path} {q}: {songs:?}");
        }
    }
    let titles = |songs: Vec<(String, String)>| songs.into_iter().map(|(title, _)| title).collect::<Vec<_>>();
    assert_eq!(titles(found(&own.listener, "/tenant/songs/", "कल").await), ["कल हो ना हो"], "कुल is another word");
    assert_eq!(titles(found(&own.listener, "/tenant/songs/", "!!!").await), ["First"]);
    assert_eq!(
        titles(found(&own.listener, "/tenant/songs/", "向い").await),
        ["上を向いて歩こう"],
        "within a text without spaces"
    );
    assert!(found(&own.listener, "/tenant/songs/", "xylophonic").await.is_empty());
    world.stop().await;
}
