DROP INDEX tenant_songs_titles;
