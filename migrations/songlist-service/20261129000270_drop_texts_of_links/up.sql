DROP INDEX tenant_songs_search;
