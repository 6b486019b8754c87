ALTER INDEX tenant_songs_by_title RENAME TO tenant_songs_covering;
CREATE INDEX tenant_songs_by_title ON tenant_songs (tenant_id, title_norm, id)
    INCLUDE (song_id, is_active, is_global, genre_id, release_year, created_at) WHERE deleted_at IS NULL;
