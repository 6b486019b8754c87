CREATE INDEX tenant_songs_titles ON tenant_songs USING gin (tenant_id, title_norm gin_trgm_ops, album_norm gin_trgm_ops)
    WITH (gin_pending_list_limit = 512) WHERE deleted_at IS NULL;
CREATE INDEX tenant_songs_letters ON tenant_songs
    USING gin (tenant_id, letters_and_pairs(title_norm), letters_and_pairs(album_norm)) WITH (gin_pending_list_limit = 512)
    WHERE deleted_at IS NULL AND (title_norm ~ '[^a-z0-9]' OR album_norm ~ '[^a-z0-9]');
CREATE INDEX tenant_songs_by_word ON tenant_songs USING gin (tenant_id, string_to_array(words, ' '))
    WITH (gin_pending_list_limit = 512) WHERE deleted_at IS NULL;
