DROP INDEX tenant_songs_titles, tenant_songs_letters, tenant_songs_by_word;
