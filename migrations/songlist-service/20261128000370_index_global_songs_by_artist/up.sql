CREATE INDEX songs_global_by_artist ON songs (artist_norm, id) WHERE deleted_at IS NULL AND tenant_id IS NULL;
