CREATE INDEX songs_global_words ON songs USING gin (words gin_trgm_ops) WITH (gin_pending_list_limit = 512)
    WHERE deleted_at IS NULL AND tenant_id IS NULL;
