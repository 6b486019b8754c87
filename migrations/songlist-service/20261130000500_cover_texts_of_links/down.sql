DROP INDEX tenant_songs_covering;
