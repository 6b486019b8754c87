CREATE INDEX tenant_songs_search ON tenant_songs
    USING gin (tenant_id, title_norm gin_trgm_ops, artist_norm gin_trgm_ops, album_norm gin_trgm_ops)
    WHERE deleted_at IS NULL;
