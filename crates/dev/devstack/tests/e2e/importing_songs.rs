//! The song catalogue and its import.

use devstack::{Person, Stack};
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world;

async fn found(person: &Person, name: &str, value: &str) -> Vec<String> {
    let request = person.client.request(Method::GET, "/songs/").query(&[(name, value)]);
    let reply = person.client.send(request).await.unwrap().expect(200).unwrap();
    reply.at("/data").as_array().unwrap().iter().map(|row| row["title"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_song_is_found_by_a_misspelt_title_and_by_a_misspelt_artist() {
    let stack = Stack::start().await.unwrap();
    let root = stack.root().await.unwrap();
    let genre = world::make(&root, "/genres/", json!({ "name": "Rock" })).await;
    for (title, artist) in
        [("Stairway to Heaven", "Led Zeppelin"), ("Waterloo", "ABBA"), ("மின்சாரக் கண்ணா", "ஏ. ஆர். ரகுமான்")]
    {
        world::make(&root, "/songs/", json!({ "title": title, "artist": artist, "genre": genre })).await;
    }
    for q in ["Stairway to Heven", "stairway", "Led Zepelin", "zeppelin"] {
        assert_eq!(found(&root, "q", q).await, ["Stairway to Heaven"], "{q}");
    }
    assert_eq!(found(&root, "q", "மின்சாரக் கணணா").await, ["மின்சாரக் கண்ணா"]);
    assert_eq!(found(&root, "artist", "zeppelin").await, ["Stairway to Heaven"]);
    assert!(found(&root, "artist", "zepelin").await.is_empty(), "a filter is no search");
    assert!(found(&root, "q", "nothing like it").await.is_empty());
    stack.stop().await;
}

#[tokio::test]
async fn an_upload_that_is_cut_off_imports_no_torn_row() {
    let stack = Stack::start().await.unwrap();
    let root = stack.root().await.unwrap();
    world::make(&root, "/genres/", json!({ "name": "Rock" })).await;
    let whole = "title,artist,genre\nFirst,Somebody,Rock\nTorn at its en";
    let authorization = root.client.token().unwrap();
    let head = format!(
        "POST /api/v1/songs/import/ HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {authorization}\r\n\
         content-type: text/csv\r\ncontent-length: {}\r\n\r\n",
        whole.len() + 100
    );
    let mut stream = TcpStream::connect(stack.url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(whole.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(found(&root, "title", "Torn").await.is_empty());
    let again = format!("{whole}d,Somebody,Rock\n");
    let request = root.client.request(Method::POST, "/songs/import/").header("content-type", "text/csv").body(again);
    let report = root.client.send(request).await.unwrap().expect(200).unwrap();
    assert_eq!((report.at("/data/total"), report.at("/data/failed")), (&json!(2), &json!(0)), "{}", report.text);
    assert_eq!(found(&root, "title", "Torn").await, ["Torn at its end"]);
    stack.stop().await;
}

#[tokio::test]
async fn every_row_of_an_import_is_accounted_for_and_refused_ones_are_named() {
    let stack = Stack::start().await.unwrap();
    let root = stack.root().await.unwrap();
    world::make(&root, "/genres/", json!({ "name": "Rock" })).await;
    let file = "title,artist,release_year\nGood,Somebody,1999\n,Nobody,1999\nGOOD,somebody,\nBad Year,Somebody,soon\n";
    let request = root.client.request(Method::POST, "/songs/import/").query(&[("genre", "Rock")]);
    let request = request.header("content-type", "text/csv").body(file);
    let report = root.client.send(request).await.unwrap().expect(200).unwrap();
    let number = |name: &str| report.at(&format!("/data/{name}")).as_u64().unwrap();
    assert_eq!((number("total"), number("created"), number("skipped_duplicates"), number("failed")), (4, 1, 1, 2));
    let errors = report.at("/data/errors");
    assert_eq!((&errors[0]["row"], &errors[0]["field"]), (&json!(2), &json!("title")), "{errors}");
    assert_eq!((&errors[1]["row"], &errors[1]["field"]), (&json!(4), &json!("release_year")), "{errors}");
    stack.stop().await;
}
