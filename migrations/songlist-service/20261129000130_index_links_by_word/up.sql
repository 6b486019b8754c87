CREATE INDEX tenant_songs_by_word ON tenant_songs USING gin (tenant_id, string_to_array(words, ' '))
    WITH (gin_pending_list_limit = 512) WHERE deleted_at IS NULL;
