//! Finding songs: search tolerates typos, filters do not.

use proto::songlist::SongFilters;
use testkit::caller::super_admin;

use crate::service::Songlist;

#[tokio::test]
async fn a_song_is_found_by_a_misspelt_title_and_by_a_misspelt_artist() {
    let (songlist, root) = (Songlist::start().await, super_admin());
    let genre = songlist.genre("Rock").await;
    for (title, artist) in
        [("Stairway to Heaven", "Led Zeppelin"), ("Waterloo", "ABBA"), ("மின்சாரக் கண்ணா", "ஏ. ஆர். ரகுமான்")]
    {
        songlist.song(&root, title, artist, &genre).await.unwrap();
    }
    let search = |q: &str| SongFilters { q: Some(q.to_owned()), ..SongFilters::default() };
    for q in ["Stairway to Heven", "stairway", "Led Zepelin", "zeppelin"] {
        assert_eq!(songlist.titles(&root, search(q)).await, ["Stairway to Heaven"], "{q}");
    }
    assert_eq!(songlist.titles(&root, search("மின்சாரக் கணணா")).await, ["மின்சாரக் கண்ணா"]);
    assert!(songlist.titles(&root, search("nothing like it")).await.is_empty());
    let artist = |name: &str| SongFilters { artist: vec![name.to_owned()], ..SongFilters::default() };
    assert_eq!(songlist.titles(&root, artist("zeppelin")).await, ["Stairway to Heaven"]);
    assert!(songlist.titles(&root, artist("zepelin")).await.is_empty(), "a filter is no search");
}
