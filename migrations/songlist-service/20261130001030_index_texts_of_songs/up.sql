-- As that of links. Without GLOBAL songs, which have an index of their own: songs_search had them again.
CREATE INDEX songs_texts ON songs
    USING gin (tenant_id, title_norm gin_trgm_ops, artist_norm gin_trgm_ops, album_norm gin_trgm_ops, (ARRAY[genre_id]),
        string_to_array(words, ' '))
    WITH (gin_pending_list_limit = 512) WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;
