-- As that of links.
CREATE INDEX songs_pairs ON songs
    USING gin (tenant_id, letters_and_pairs(title_norm COLLATE "C"), letters_and_pairs(artist_norm COLLATE "C"),
        letters_and_pairs(album_norm COLLATE "C"), (ARRAY[genre_id]))
    WITH (gin_pending_list_limit = 512) WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;
