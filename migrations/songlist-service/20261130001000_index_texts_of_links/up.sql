-- As tenant_songs_titles, with artist and genre too: of two filters that many links match, one found them and the other one was compared
-- with each in the table, though few match both.
CREATE INDEX tenant_songs_texts ON tenant_songs
    USING gin (tenant_id, title_norm gin_trgm_ops, artist_norm gin_trgm_ops, album_norm gin_trgm_ops, (ARRAY[genre_id]))
    WITH (gin_pending_list_limit = 512) WHERE deleted_at IS NULL;
