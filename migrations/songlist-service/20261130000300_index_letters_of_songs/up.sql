-- As those of links, for the songs of tenants.
CREATE INDEX songs_letters ON songs
    USING gin (tenant_id, letters_and_pairs(title_norm), letters_and_pairs(album_norm)) WITH (gin_pending_list_limit = 512)
    WHERE deleted_at IS NULL AND tenant_id IS NOT NULL AND (title_norm ~ '[^a-z0-9]' OR album_norm ~ '[^a-z0-9]');
