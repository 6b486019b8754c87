CREATE INDEX songs_search ON songs
    USING gin (tenant_id, title_norm gin_trgm_ops, artist_norm gin_trgm_ops, album_norm gin_trgm_ops)
    WITH (gin_pending_list_limit = 512) WHERE deleted_at IS NULL;
CREATE INDEX songs_letters ON songs
    USING gin (tenant_id, letters_and_pairs(title_norm), letters_and_pairs(album_norm)) WITH (gin_pending_list_limit = 512)
    WHERE deleted_at IS NULL AND tenant_id IS NOT NULL AND (title_norm ~ '[^a-z0-9]' OR album_norm ~ '[^a-z0-9]');
CREATE INDEX songs_global_search ON songs
    USING gin (title_norm gin_trgm_ops, artist_norm gin_trgm_ops, album_norm gin_trgm_ops)
    WITH (gin_pending_list_limit = 512) WHERE deleted_at IS NULL AND tenant_id IS NULL;
CREATE INDEX songs_global_letters ON songs
    USING gin (letters_and_pairs(title_norm), letters_and_pairs(album_norm)) WITH (gin_pending_list_limit = 512)
    WHERE deleted_at IS NULL AND tenant_id IS NULL AND (title_norm ~ '[^a-z0-9]' OR album_norm ~ '[^a-z0-9]');
CREATE INDEX songs_by_word ON songs USING gin (tenant_id, string_to_array(words, ' ')) WITH (gin_pending_list_limit = 512)
    WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;
CREATE INDEX songs_global_by_word ON songs USING gin (string_to_array(words, ' ')) WITH (gin_pending_list_limit = 512)
    WHERE deleted_at IS NULL AND tenant_id IS NULL;
