CREATE INDEX songs_global_search ON songs USING gin (title_norm gin_trgm_ops, artist_norm gin_trgm_ops, album_norm gin_trgm_ops)
    WHERE deleted_at IS NULL AND tenant_id IS NULL;
