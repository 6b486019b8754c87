DROP INDEX tenant_songs_newest_own;
