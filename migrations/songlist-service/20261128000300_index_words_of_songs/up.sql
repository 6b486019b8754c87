-- Rows of earlier releases have no words yet, so this is built in a moment; the job that fills them in pays for it. Lists of what was
-- inserted last are kept short, because every search reads them whole.
CREATE INDEX songs_words ON songs USING gin (tenant_id, words gin_trgm_ops) WITH (gin_pending_list_limit = 512)
    WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;
