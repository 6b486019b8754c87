DROP INDEX tenant_songs_pairs;
