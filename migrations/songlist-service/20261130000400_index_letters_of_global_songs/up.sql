-- As those of links: the catalogue read all songs for two letters, which took two seconds for a million.
CREATE INDEX songs_global_letters ON songs
    USING gin (letters_and_pairs(title_norm), letters_and_pairs(album_norm)) WITH (gin_pending_list_limit = 512)
    WHERE deleted_at IS NULL AND tenant_id IS NULL AND (title_norm ~ '[^a-z0-9]' OR album_norm ~ '[^a-z0-9]');
