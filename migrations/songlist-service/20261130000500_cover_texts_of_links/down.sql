CREATE INDEX tenant_songs_plain ON tenant_songs (tenant_id, title_norm, id)
    INCLUDE (song_id, is_active, is_global, genre_id, release_year, created_at) WHERE deleted_at IS NULL;
DROP INDEX tenant_songs_by_title;
ALTER INDEX tenant_songs_plain RENAME TO tenant_songs_by_title;
