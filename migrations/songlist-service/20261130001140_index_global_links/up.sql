-- As tenant_songs_newest_own: a list of a million own songs was read whole for the few GLOBAL ones. An import of own songs does not write it.
CREATE INDEX tenant_songs_newest_global ON tenant_songs (tenant_id, created_at DESC, id DESC) INCLUDE (song_id, is_active, genre_id)
    WHERE deleted_at IS NULL AND is_global;
