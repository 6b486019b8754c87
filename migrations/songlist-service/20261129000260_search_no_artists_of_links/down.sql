CREATE INDEX tenant_songs_search_more ON tenant_songs
    USING gin (tenant_id, title_norm gin_trgm_ops, artist_norm gin_trgm_ops, album_norm gin_trgm_ops) WHERE deleted_at IS NULL;
DROP INDEX tenant_songs_search;
ALTER INDEX tenant_songs_search_more RENAME TO tenant_songs_search;
