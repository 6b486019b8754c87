//! What one caller may cost the others, also one that calls the service directly.

use kit::ids::TenantId;
use proto::songlist::playlists_client::PlaylistsClient;
use proto::songlist::tenant_songs_client::TenantSongsClient;
use proto::songlist::{CreatePlaylistRequest, ListTenantSongsRequest, SongFilters};
use testkit::caller::{admin, call, listener};

use crate::service::Songlist;

#[tokio::test]
async fn sf_01_ten_thousand_values_of_a_filter_are_one_condition() {
    let songlist = Songlist::start().await;
    let anna = listener(TenantId::new());
    let mut client = TenantSongsClient::new(songlist.called_by("gateway"));
    let many = vec!["a".to_owned(); 10_000];
    let filters = SongFilters { title: many.clone(), artist: many.clone(), genre: many, ..SongFilters::default() };
    let request = call(&anna, ListTenantSongsRequest { page: None, filters: Some(filters) });
    let found = client.list(request).await.unwrap().into_inner();
    assert!(found.songs.is_empty());
}

#[tokio::test]
async fn sf_09_a_user_stores_a_bounded_number_of_playlists() {
    let songlist = Songlist::start().await;
    let anna = listener(TenantId::new());
    let mut client = PlaylistsClient::new(songlist.called_by("gateway"));
    let mut create = async |n: u32| {
        let new = CreatePlaylistRequest { name: format!("List {n}"), ..CreatePlaylistRequest::default() };
        client.create(call(&anna, new)).await
    };
    for n in 0..500 {
        create(n).await.unwrap();
    }
    let refused = kit::Error::from(create(500).await.unwrap_err());
    assert_eq!(refused.code(), kit::Code::QuotaExceeded);
}

#[tokio::test]
async fn sf_09_a_tenant_stores_a_bounded_number_of_songs() {
    let songlist = Songlist::start().await;
    let boss = admin(TenantId::new());
    let genre = songlist.genre("Rock").await;
    songlist.song(&boss, "The last one", "A", &genre).await.unwrap();
    let superuser = kit_pg::bootstrap::open(songlist.db.admin_url()).await.unwrap();
    let full = format!("UPDATE {}.tenant_song_counts SET total = 2000000", songlist.db.schema);
    assert_eq!(superuser.execute(&full, &[]).await.unwrap(), 1);
    let refused = kit::Error::from(songlist.song(&boss, "One more", "A", &genre).await.unwrap_err());
    assert_eq!(refused.code(), kit::Code::QuotaExceeded);
}
