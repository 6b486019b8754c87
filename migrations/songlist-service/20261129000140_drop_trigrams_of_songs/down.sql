CREATE INDEX songs_words ON songs USING gin (tenant_id, words gin_trgm_ops) WITH (gin_pending_list_limit = 512)
    WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;
