CREATE INDEX tenant_songs_words ON tenant_songs USING gin (tenant_id, words gin_trgm_ops) WITH (gin_pending_list_limit = 512)
    WHERE deleted_at IS NULL;
