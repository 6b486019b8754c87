-- With all that filters ask for: to count the songs of a genre the whole list was read.
CREATE INDEX tenant_songs_by_genre ON tenant_songs (tenant_id, genre_id, created_at DESC, id DESC)
    INCLUDE (song_id, is_active, is_global) WHERE deleted_at IS NULL;
