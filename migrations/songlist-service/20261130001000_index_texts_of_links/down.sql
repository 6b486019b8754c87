DROP INDEX tenant_songs_texts;
