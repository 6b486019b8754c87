DROP INDEX tenant_songs_titles, tenant_songs_letters;
