-- With all that filters ask for, so that rows that are counted or skipped are read in the index alone.
CREATE INDEX tenant_songs_covering ON tenant_songs (tenant_id, title_norm, id)
    INCLUDE (song_id, is_active, is_global, genre_id, release_year, created_at) WHERE deleted_at IS NULL;
DROP INDEX tenant_songs_by_title;
ALTER INDEX tenant_songs_covering RENAME TO tenant_songs_by_title;
