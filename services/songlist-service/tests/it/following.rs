//! Lists follow songs that change.

use proto::songlist::tenant_songs_client::TenantSongsClient;
use proto::songlist::{DeleteSongRequest, LinkSongRequest, UpdateSongRequest};
use testkit::caller::{admin, call, super_admin};
use testkit::eventually;
use testkit::schema::count;

use crate::service::Songlist;

#[tokio::test]
async fn a_late_message_about_a_song_that_was_counted_out_changes_no_link_that_counts_know() {
    let songlist = Songlist::start().await;
    let genre = songlist.genre("Rock").await;
    let song = songlist.song(&super_admin(), "First", "Somebody", &genre).await.unwrap().id;
    let link = LinkSongRequest { song_id: song.clone(), ..LinkSongRequest::default() };
    let admin = admin(kit::ids::TenantId::new());
    TenantSongsClient::new(songlist.called_by("gateway")).link(call(&admin, link)).await.unwrap();
    let rename =
        UpdateSongRequest { id: song.clone(), title: Some("Second".to_owned()), ..UpdateSongRequest::default() };
    songlist.songs().update(call(&super_admin(), rename)).await.unwrap();
    let titled = async |title: &str| count(&songlist.db, &format!("tenant_songs WHERE title_norm = '{title}'")).await;
    let sent = "outbox WHERE topic = 'song.changed' AND state = 'sent'";
    let is_sent = || async { (count(&songlist.db, sent).await.unwrap() == 1).then_some(()) };
    eventually("the list follows", is_sent).await;
    assert_eq!(titled("second").await.unwrap(), 1);

    let delete = DeleteSongRequest { id: song, ..DeleteSongRequest::default() };
    songlist.songs().delete(call(&super_admin(), delete)).await.unwrap();
    let superuser = kit_pg::bootstrap::open(songlist.db.admin_url()).await.unwrap();
    let late = format!(
        "SET search_path = {}; UPDATE songs SET counted_out = true, title = 'Third', title_norm = 'third'; \
         UPDATE outbox SET state = 'pending', next_attempt_at = now(), sent_at = NULL WHERE topic = 'song.changed'",
        songlist.db.schema
    );
    superuser.batch_execute(&late).await.unwrap();
    eventually("the message is sent again", is_sent).await;
    assert_eq!((titled("second").await.unwrap(), titled("third").await.unwrap()), (1, 0));
    let wrong = "SELECT count(*) FROM (SELECT FROM tenant_song_histograms GROUP BY tenant_id, sorted_by, bucket HAVING sum(total) <> 0) b";
    assert_eq!(superuser.query_one(wrong, &[]).await.unwrap().get::<_, i64>(0), 0);
}
