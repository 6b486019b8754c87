DROP INDEX tenant_songs_by_word;
