-- Apart from the builds, so that nobody who reads songs waits for these.
DROP INDEX songs_global_newest, songs_global_by_title, songs_global_by_artist;
ALTER INDEX songs_global_newest_covering RENAME TO songs_global_newest;
ALTER INDEX songs_global_by_title_covering RENAME TO songs_global_by_title;
ALTER INDEX songs_global_by_artist_covering RENAME TO songs_global_by_artist;
