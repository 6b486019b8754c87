-- When the duration of a song changes, that of the playlists with it follows.
CREATE INDEX playlist_entries_of_link ON playlist_entries (tenant_id, tenant_song_id);
