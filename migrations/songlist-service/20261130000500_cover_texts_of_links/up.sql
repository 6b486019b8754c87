-- As tenant_songs_by_title, with artist and album too: a filter by letters that many links have, of any of the three, read the table for
-- each row of the list.
CREATE INDEX tenant_songs_covering ON tenant_songs (tenant_id, title_norm, id)
    INCLUDE (song_id, is_active, is_global, genre_id, release_year, created_at, artist_norm, album_norm) WHERE deleted_at IS NULL;
