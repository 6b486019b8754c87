//! The catalogue and playlists are taken away as files.

use devstack::{Client, Reply, World};
use reqwest::Method;
use serde_json::{Value, json};

async fn file(client: &Client, path: &str) -> Reply {
    let reply = client.get(path).await.unwrap().expect(200).unwrap();
    let disposition = reply.headers.get("content-disposition").unwrap().to_str().unwrap();
    assert!(disposition.starts_with("attachment; filename=\""), "{disposition}");
    reply
}

fn kind(reply: &Reply) -> &str {
    reply.headers.get("content-type").unwrap().to_str().unwrap()
}

#[tokio::test]
async fn the_catalogue_is_exported_whole_without_songs_of_others_and_can_be_imported_again() {
    let world = World::start().await;
    let (own, other) = (world.full_tenant("Alpha").await, world.full_tenant("Beta").await);
    let admin = &own.admin.client;
    let rows: String = (0..250).map(|n| format!("\"Song, {n:03}\",\"An \"\"Artist\"\"\",{},\n", 100 + n)).collect();
    let upload = format!("title,artist,duration,genre\n{rows}").replace(",\n", ",Genre Alpha\n");
    let request = admin.request(Method::POST, "/songs/import/").header("content-type", "text/csv").body(upload);
    let done = admin.send(request).await.unwrap().expect(200).unwrap();
    assert_eq!(done.at("/data/created"), &json!(250), "{}", done.text);
    let new = json!({ "title": "=1+1", "artist": "कल\u{2028}x", "genre": own.genre, "release_year": 1999 });
    let refused = admin.post("/songs/", new.clone()).await.unwrap();
    let new = if refused.status == 400 {
        json!({ "title": "=1+1", "artist": "कल", "genre": own.genre, "release_year": 1999 })
    } else {
        new
    };
    admin.post("/songs/", new).await.unwrap();
    let csv = file(admin, "/songs/export/").await;
    assert_eq!(kind(&csv), "text/csv; charset=utf-8");
    let lines: Vec<&str> = csv.text.lines().collect();
    assert_eq!(lines[0], "id,title,artist,album,genre,duration,release_year,visibility");
    assert_eq!(lines.len(), 1 + 250 + 1 + 1, "the header, the import, a formula, the song of the tenant");
    assert!(csv.text.contains(",'=1+1,"), "no cell is a formula");
    assert!(csv.text.contains("\"Song, 007\",\"An \"\"Artist\"\"\",,Genre Alpha,107,,TENANT"), "{}", lines[1]);
    assert!(!csv.text.contains(&other.song) && !csv.text.contains("Beta"));
    let nd = file(admin, "/songs/export/?format=ndjson&title=song%2C%200&genre=alpha").await;
    assert_eq!(kind(&nd), "application/x-ndjson");
    let songs: Vec<Value> = nd.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(songs.len(), 100, "the filters apply");
    assert_eq!((&songs[0]["title"], &songs[0]["duration"]), (&json!("Song, 099"), &json!(199)), "the newest first");
    let ranked = file(admin, "/songs/export/?q=song%20007&format=ndjson").await;
    assert!(ranked.text.starts_with("{\"id\":") && ranked.text.lines().next().unwrap().contains("Song, 007"));
    // What was exported is imported elsewhere.
    let genre = json!({ "name": "Genre Alpha" });
    assert_eq!(world.root.client.post("/genres/", genre).await.unwrap().status, 409);
    let request =
        other.admin.client.request(Method::POST, "/songs/import/").header("content-type", "text/csv").body(csv.text);
    let again = other.admin.client.send(request).await.unwrap().expect(200).unwrap();
    assert_eq!((again.at("/data/total"), again.at("/data/failed")), (&json!(252), &json!(0)), "{}", again.text);
    for path in ["/songs/export/?format=xml", "/songs/export/?page=2"] {
        assert_eq!(admin.get(path).await.unwrap().status, 400, "{path}");
    }
    assert_eq!(own.listener.client.get("/songs/export/").await.unwrap().status, 403);
    world.stop().await;
}

#[tokio::test]
async fn a_playlist_is_exported_in_three_formats_in_its_order() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let listener = &own.listener.client;
    for n in 0..119 {
        let new = json!({ "title": format!("Song {n:03}"), "artist": "A", "genre": own.genre, "duration": 60 + n });
        own.admin.create("/songs/", new).await;
    }
    let mut links = Vec::new();
    for page in 1..=2 {
        let path = format!("/tenant/songs/?title=song%20&ordering=title&page_size=100&page={page}");
        let rows = listener.get(&path).await.unwrap();
        links.extend(rows.at("/data").as_array().unwrap().iter().map(|row| row["id"].clone()));
    }
    let path = format!("/playlists/{}/", own.playlist);
    let empty = file(listener, &format!("{path}export/?format=jspf")).await;
    assert_eq!(serde_json::from_str::<Value>(&empty.text).unwrap()["playlist"]["track"], json!([]));
    let add = json!({ "tenant_song_ids": links });
    listener.post(&format!("{path}songs/"), add).await.unwrap().expect(201).unwrap();
    let named = json!({ "name": "Fri\"day", "description": "a\nb" });
    listener.patch(&path, named).await.unwrap().expect(200).unwrap();
    let csv = file(listener, &format!("{path}export/")).await;
    let lines: Vec<&str> = csv.text.lines().collect();
    assert_eq!((lines.len(), lines[0]), (121, "position,title,artist,album,genre,duration,release_year,available"));
    assert_eq!(lines[1], "1,Song 000,A,,Genre Alpha,60,,true");
    assert!(lines[101].starts_with("101,Song 100,"));
    let jspf = file(listener, &format!("{path}export/?format=jspf")).await;
    let whole: Value = serde_json::from_str(&jspf.text).unwrap();
    assert_eq!((&whole["playlist"]["title"], &whole["playlist"]["annotation"]), (&json!("Fri\"day"), &json!("a\nb")));
    let tracks = whole["playlist"]["track"].as_array().unwrap();
    assert_eq!(
        (tracks.len(), &tracks[100]["title"], &tracks[100]["duration"]),
        (120, &json!("Song 100"), &json!(160_000))
    );
    let m3u = file(listener, &format!("{path}export/?format=m3u8")).await;
    let lines: Vec<&str> = m3u.text.lines().collect();
    assert_eq!((lines[0], lines[1], lines[2]), ("#EXTM3U", "#PLAYLIST:Fri\"day", "#EXTINF:60,A - Song 000"));
    assert_eq!(lines.len(), 2 + 2 * 120);
    world.stop().await;
}
