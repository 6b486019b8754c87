-- As tenant_songs_titles and tenant_songs_by_word, with artist and genre too. Two indexes that begin with the tenant are never used together
-- (Postgres takes the second one for redundant): of two conditions that many links match, one found them and the other one was compared with
-- each in the table, though few match both.
CREATE INDEX tenant_songs_texts ON tenant_songs
    USING gin (tenant_id, title_norm gin_trgm_ops, artist_norm gin_trgm_ops, album_norm gin_trgm_ops, (ARRAY[genre_id]),
        string_to_array(words, ' '))
    WITH (gin_pending_list_limit = 512) WHERE deleted_at IS NULL;
