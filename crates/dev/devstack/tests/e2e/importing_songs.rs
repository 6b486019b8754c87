//! A file of songs is uploaded.

use devstack::{Person, World};
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn found(person: &Person, name: &str, value: &str) -> Vec<String> {
    let request = person.client.request(Method::GET, "/songs/").query(&[(name, value)]);
    let reply = person.client.send(request).await.unwrap().expect(200).unwrap();
    reply.at("/data").as_array().unwrap().iter().map(|row| row["title"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_upload_that_is_cut_off_imports_no_torn_row() {
    let world = World::start().await;
    let root = &world.root;
    root.create("/genres/", json!({ "name": "Rock" })).await;
    let whole = "title,artist,genre\nFirst,Somebody,Rock\nTorn at its en";
    let authorization = root.client.token().unwrap();
    let head = format!(
        "POST /api/v1/songs/import/ HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {authorization}\r\n\
         content-type: text/csv\r\ncontent-length: {}\r\n\r\n",
        whole.len() + 100
    );
    let mut stream = TcpStream::connect(world.stack.url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(whole.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(found(root, "title", "Torn").await.is_empty());
    let again = format!("{whole}d,Somebody,Rock\n");
    let request = root.client.request(Method::POST, "/songs/import/").header("content-type", "text/csv").body(again);
    let report = root.client.send(request).await.unwrap().expect(200).unwrap();
    assert_eq!((report.at("/data/total"), report.at("/data/failed")), (&json!(2), &json!(0)), "{}", report.text);
    assert_eq!(found(root, "title", "Torn").await, ["Torn at its end"]);
    world.stop().await;
}
