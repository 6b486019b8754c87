-- As songs_global_by_title, with all that filters of the catalogue ask for; tenant_id for the policy.
CREATE INDEX songs_covering ON songs (title_norm, id)
    INCLUDE (tenant_id, artist_norm, album_norm, genre_id, release_year, duration, created_at)
    WHERE deleted_at IS NULL AND tenant_id IS NULL;
