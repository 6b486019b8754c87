-- A list of a million GLOBAL songs was read whole for the few of its own ones, in 90 ms. It also tells how many are GLOBAL: all but these.
CREATE INDEX tenant_songs_newest_own ON tenant_songs (tenant_id, created_at DESC, id DESC) INCLUDE (song_id, is_active, genre_id)
    WHERE deleted_at IS NULL AND NOT is_global;
