DROP TABLE tenant_song_counts;
DROP TABLE tenant_songs;
