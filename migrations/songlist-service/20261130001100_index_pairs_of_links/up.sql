-- As tenant_songs_letter_pairs, of all links. Those of the letters a to z and digits alone were not in it: two letters of their texts were
-- found by 37 trigrams, and two parts beside each other in four ways, which took four times as long; for a rare letter the list was read.
-- Letters are compared as bytes ("C"), because the collation of the database, C.UTF-8, takes longer, for the same order.
CREATE INDEX tenant_songs_pairs ON tenant_songs
    USING gin (tenant_id, letters_and_pairs(title_norm COLLATE "C"), letters_and_pairs(artist_norm COLLATE "C"),
        letters_and_pairs(album_norm COLLATE "C"), (ARRAY[genre_id]))
    WITH (gin_pending_list_limit = 512) WHERE deleted_at IS NULL;
