CREATE INDEX songs_words_trigrams ON songs USING gin (tenant_id, words gin_trgm_ops) WITH (gin_pending_list_limit = 512)
    WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;
DROP INDEX songs_words;
ALTER INDEX songs_words_trigrams RENAME TO songs_words;
