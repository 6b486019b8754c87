DROP INDEX tenant_songs_letters;
