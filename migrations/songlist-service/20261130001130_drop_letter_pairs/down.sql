CREATE INDEX tenant_songs_letter_pairs ON tenant_songs
    USING gin (tenant_id, letters_and_pairs(title_norm), letters_and_pairs(artist_norm), letters_and_pairs(album_norm), (ARRAY[genre_id]))
    WITH (gin_pending_list_limit = 512)
    WHERE deleted_at IS NULL AND (title_norm ~ '[^a-z0-9]' OR artist_norm ~ '[^a-z0-9]' OR album_norm ~ '[^a-z0-9]');
CREATE INDEX songs_letter_pairs ON songs
    USING gin (tenant_id, letters_and_pairs(title_norm), letters_and_pairs(artist_norm), letters_and_pairs(album_norm), (ARRAY[genre_id]))
    WITH (gin_pending_list_limit = 512)
    WHERE deleted_at IS NULL AND tenant_id IS NOT NULL AND (title_norm ~ '[^a-z0-9]' OR artist_norm ~ '[^a-z0-9]' OR album_norm ~ '[^a-z0-9]');
CREATE INDEX songs_global_letter_pairs ON songs
    USING gin (letters_and_pairs(title_norm), letters_and_pairs(artist_norm), letters_and_pairs(album_norm), (ARRAY[genre_id]))
    WITH (gin_pending_list_limit = 512)
    WHERE deleted_at IS NULL AND tenant_id IS NULL AND (title_norm ~ '[^a-z0-9]' OR artist_norm ~ '[^a-z0-9]' OR album_norm ~ '[^a-z0-9]');
