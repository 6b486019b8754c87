CREATE INDEX songs_global_by_word ON songs USING gin (string_to_array(words, ' ')) WITH (gin_pending_list_limit = 512)
    WHERE deleted_at IS NULL AND tenant_id IS NULL;
