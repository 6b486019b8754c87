DROP INDEX tenant_songs_words;
