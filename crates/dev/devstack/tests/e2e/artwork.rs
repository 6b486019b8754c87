//! Songs have images.

use devstack::{Client, Reply, World};
use kit_pg::bootstrap::open;
use reqwest::Method;
use serde_json::{Value, json};

/// A PNG of two by two pixels: red, green, blue and half-transparent white.
const GLASS: &str = "89504e470d0a1a0a0000000d494844520000000200000002080600000072b60d240000001349444154789c63f8cfc0f01f0c\
    8134083400004949097828a0db770000000049454e44ae426082";

async fn put(client: &Client, path: &str, kind: &str, image: Vec<u8>) -> Reply {
    let request = client.request(Method::PUT, path).header("content-type", kind).body(image);
    client.send(request).await.unwrap()
}

/// A PNG that is as wide and high as this, in one colour.
fn png(side: u32) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(side, side, image::Rgb([200, 10, 10]))
        .write_to(&mut file, image::ImageFormat::Png)
        .unwrap();
    file.into_inner()
}

/// The path of an image on this gateway.
fn media(reply: &Reply) -> String {
    let url = reply.text_at("/data/artwork").unwrap();
    format!("//media/{}", url.rsplit('/').next().unwrap())
}

#[tokio::test]
async fn an_image_is_set_shown_everywhere_replaced_and_taken_away() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let (admin, listener) = (&own.admin.client, &own.listener.client);
    let (song, path) = (format!("/songs/{}/", own.song), format!("/songs/{}/artwork/", own.song));
    let set = put(admin, &path, "image/png", png(1_200)).await.expect(200).unwrap();
    let link = listener.get(&format!("/tenant/songs/{}/", own.link)).await.unwrap();
    assert_eq!(link.at("/data/artwork"), set.at("/data/artwork"), "the list shows it at once");
    // Whoever knows the name may read it, and may keep it for ever.
    let image = world.client().get(&media(&set)).await.unwrap().expect(200).unwrap();
    assert_eq!(image.headers.get("content-type").unwrap(), "image/jpeg");
    assert_eq!(image.headers.get("cache-control").unwrap(), "public, max-age=31536000, immutable");
    let echoed = json!({ "artwork": set.at("/data/artwork"), "title": "Another" });
    admin.patch(&song, echoed).await.unwrap().expect(200).unwrap();
    let elsewhere = admin.patch(&song, json!({ "artwork": "http://evil.example/x.jpg" })).await.unwrap();
    assert_eq!(elsewhere.at("/code"), &json!("read_only_field"));
    let again = put(admin, &path, "image/webp", png(20)).await.expect(200).unwrap();
    assert_ne!(again.at("/data/artwork"), set.at("/data/artwork"), "what a name shows never changes");
    let db = &world.stack.db.songlist;
    // Images are deleted a minute after they were dropped: lists follow meanwhile, and clients have pages.
    let due = format!("UPDATE {}.outbox SET next_attempt_at = now() WHERE topic LIKE 'artwork.%'", db.schema);
    let gone = async |image: String| {
        open(db.admin_url()).await.unwrap().batch_execute(&due).await.unwrap();
        testkit::eventually("the image is deleted", || async {
            (world.client().get(&image).await.unwrap().status == 404).then_some(())
        })
        .await;
    };
    gone(media(&set)).await;
    testkit::eventually("every message is sent", || async {
        let waiting = "outbox WHERE state = 'pending' AND topic LIKE 'artwork.%'";
        (testkit::schema::count(db, waiting).await.unwrap() == 0).then_some(())
    })
    .await;
    let shown = world.client().get(&media(&again)).await.unwrap();
    assert_eq!(shown.status, 200, "what a song shows stays after the time that an upload may take");
    let stale = admin.request(Method::PUT, &path).header("content-type", "image/png").header("if-match", "\"1-x\"");
    assert_eq!(admin.send(stale.body(png(30))).await.unwrap().status, 412);
    let waiting = open(db.admin_url()).await.unwrap();
    let name = format!("SELECT payload ->> 'name' FROM {}.outbox WHERE state = 'pending'", db.schema);
    let refused: String = waiting.query_one(&name, &[]).await.unwrap().get(0);
    gone(format!("//media/{refused}")).await;
    let late = admin.request(Method::DELETE, &path).header("if-match", "\"1-x\"");
    assert_eq!(admin.send(late).await.unwrap().status, 412);
    admin.delete(&path).await.unwrap().expect(204).unwrap();
    gone(media(&again)).await;
    assert_eq!(admin.get(&song).await.unwrap().at("/data/artwork"), &Value::Null);
    admin.delete(&path).await.unwrap().expect(204).unwrap();
    let last = put(admin, &path, "image/png", hex::decode(GLASS).unwrap()).await;
    let last = last.expect(200).unwrap();
    let image = world.client().get(&media(&last)).await.unwrap();
    assert_eq!(image.headers.get("content-type").unwrap(), "image/png", "transparency is kept");
    admin.delete(&song).await.unwrap().expect(204).unwrap();
    gone(media(&last)).await;
    assert_eq!(world.client().get("//media/..%2f..%2fetc%2fpasswd").await.unwrap().status, 404);
    world.stop().await;
}

#[tokio::test]
async fn what_is_no_image_too_large_or_not_ones_own_is_refused_and_changes_nothing() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let admin = &own.admin.client;
    let (song, path) = (format!("/songs/{}/", own.song), format!("/songs/{}/artwork/", own.song));
    let before = admin.get(&song).await.unwrap();
    let polyglot = [b"GIF89a/*".to_vec(), png(8)].concat();
    for (kind, image, status, code) in [
        ("image/png", b"<svg onload=alert(1)>".to_vec(), 400, "validation_error"),
        ("image/png", polyglot, 400, "validation_error"),
        ("image/png", Vec::new(), 400, "validation_error"),
        ("image/png", png(4_100), 400, "validation_error"),
        ("image/png", vec![0; 3 * 1024 * 1024], 413, "payload_too_large"),
        ("image/svg+xml", png(8), 415, "unsupported_media_type"),
        ("application/json", b"{}".to_vec(), 415, "unsupported_media_type"),
    ] {
        let refused = put(admin, &path, kind, image).await;
        assert_eq!((refused.status, refused.at("/code")), (status, &json!(code)), "{kind} {}", refused.text);
    }
    // The largest file is taken: a picture with bytes behind it, which are dropped.
    let mut largest = png(8);
    largest.resize(2 * 1024 * 1024, 0);
    put(&world.root.client, &path, "image/png", largest.clone()).await.expect(404).unwrap();
    put(admin, &path, "image/png", largest).await.expect(200).unwrap();
    admin.delete(&path).await.unwrap().expect(204).unwrap();
    let before = before.at("/data/title").clone();
    let new = json!({ "title": "Heroes", "artist": "David Bowie", "genre": own.genre });
    let global = world.root.create("/songs/", new).await;
    let refused = put(admin, &format!("/songs/{global}/artwork/"), "image/png", png(8)).await;
    assert_eq!((refused.status, refused.at("/code")), (403, &json!("permission_denied")));
    assert_eq!(put(&own.listener.client, &path, "image/png", png(8)).await.status, 403);
    put(&world.root.client, &format!("/songs/{global}/artwork/"), "image/png", png(8)).await.expect(200).unwrap();
    assert_eq!(admin.get(&song).await.unwrap().at("/data/title"), &before);
    world.stop().await;
}
