//! Images in an S3-compatible store. The system suite has them in a folder.

use std::io::Cursor;

use kit::ids::TenantId;
use kit_pg::bootstrap::open;
use proto::songlist::media_client::MediaClient;
use proto::songlist::{DeleteSongRequest, GetMediaRequest, SetSongArtworkRequest, Song};
use testkit::caller::{admin, anonymous, call};
use testkit::{S3, eventually};

use crate::service::Songlist;

/// A service whose images are in `bucket`, which there is.
async fn with_bucket(store: &S3, bucket: &str) -> Songlist {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let made =
        reqwest::Client::builder().build().unwrap().put(format!("{}/{bucket}", store.endpoint)).send().await.unwrap();
    assert!(made.status().is_success(), "{}", made.status());
    with_store(store, bucket).await
}

async fn with_store(store: &S3, bucket: &str) -> Songlist {
    Songlist::start_with([
        ("PREMIUM_GATES", "none".to_owned()),
        ("MEDIA_URL", format!("s3://{bucket}")),
        ("MEDIA_S3_ENDPOINT", store.endpoint.clone()),
        ("MEDIA_S3_ACCESS_KEY_ID", "test".to_owned()),
        ("MEDIA_S3_SECRET_ACCESS_KEY", "test".to_owned()),
    ])
    .await
}

fn png() -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let image = image::RgbImage::from_pixel(20, 10, image::Rgb([200, 10, 10]));
    image.write_to(&mut file, image::ImageFormat::Png).unwrap();
    file.into_inner()
}

async fn set(songlist: &Songlist, tenant: TenantId, song: &str) -> Result<Song, tonic::Status> {
    let image = SetSongArtworkRequest { id: song.to_owned(), image: png(), if_version: None };
    Ok(songlist.songs().set_artwork(call(&admin(tenant), image)).await?.into_inner())
}

async fn image(songlist: &Songlist, song: &Song) -> Result<Vec<u8>, tonic::Status> {
    let name = song.artwork.as_deref().unwrap().rsplit('/').next().unwrap().to_owned();
    let asked = call(&anonymous(), GetMediaRequest { name });
    Ok(MediaClient::new(songlist.called_by("gateway")).get(asked).await?.into_inner().content)
}

#[tokio::test]
async fn an_image_is_kept_in_the_bucket_until_no_song_shows_it() {
    let store = S3::start().await.unwrap();
    let songlist = with_bucket(&store, "images").await;
    let (genre, tenant) = (songlist.genre("Rock").await, TenantId::new());
    let song = songlist.song(&admin(tenant), "One", "A", &genre).await.unwrap();
    let shown = set(&songlist, tenant, &song.id).await.unwrap();
    let kept = image(&songlist, &shown).await.unwrap();
    assert_eq!(image::guess_format(&kept).unwrap(), image::ImageFormat::Jpeg);
    let listed = async || {
        let all = reqwest::get(format!("{}/images", store.endpoint)).await.unwrap().text().await.unwrap();
        all.matches("<Key>artwork/").count()
    };
    assert_eq!(listed().await, 1);
    let delete = DeleteSongRequest { id: song.id, if_version: None };
    songlist.songs().delete(call(&admin(tenant), delete)).await.unwrap();
    let due = format!("UPDATE {}.outbox SET next_attempt_at = now()", songlist.db.schema);
    open(songlist.db.admin_url()).await.unwrap().batch_execute(&due).await.unwrap();
    eventually("the image is deleted", || async { (listed().await == 0).then_some(()) }).await;
    assert_eq!(image(&songlist, &shown).await.unwrap_err().code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn while_the_store_is_away_an_image_is_refused_and_the_song_keeps_what_it_shows() {
    let mut store = S3::start().await.unwrap();
    let songlist = with_bucket(&store, "images").await;
    let (genre, tenant) = (songlist.genre("Rock").await, TenantId::new());
    let song = songlist.song(&admin(tenant), "One", "A", &genre).await.unwrap();
    store.stop().unwrap();
    let refused = set(&songlist, tenant, &song.id).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable, "{refused}");
    let none = proto::songlist::GetSongRequest { id: song.id };
    let now = songlist.songs().get(call(&admin(tenant), none)).await.unwrap().into_inner();
    assert_eq!((now.artwork, now.version), (None, song.version));
}

#[tokio::test]
async fn a_bucket_that_does_not_exist_is_an_error_of_the_operator_and_not_of_the_client() {
    let store = S3::start().await.unwrap();
    let songlist = with_store(&store, "nowhere").await;
    let (genre, tenant) = (songlist.genre("Rock").await, TenantId::new());
    let song = songlist.song(&admin(tenant), "One", "A", &genre).await.unwrap();
    let refused = set(&songlist, tenant, &song.id).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable, "{refused}");
}
