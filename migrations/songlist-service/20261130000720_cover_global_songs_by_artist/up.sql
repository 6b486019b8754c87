-- As songs_global_by_artist, with what the policy asks for.
CREATE INDEX songs_global_by_artist_covering ON songs (artist_norm, id) INCLUDE (tenant_id)
    WHERE deleted_at IS NULL AND tenant_id IS NULL;
