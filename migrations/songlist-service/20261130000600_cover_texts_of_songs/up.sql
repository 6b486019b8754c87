-- As songs_by_artist, with all that filters of the catalogue ask for, of TENANT and GLOBAL songs.
CREATE INDEX songs_covering ON songs (tenant_id, artist_norm, id)
    INCLUDE (title_norm, album_norm, genre_id, release_year, duration, created_at) WHERE deleted_at IS NULL;
