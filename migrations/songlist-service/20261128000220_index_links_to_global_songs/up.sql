-- When a GLOBAL song changes, the lists of all tenants follow. A TENANT song is on one list, which has an index of its own.
CREATE INDEX tenant_songs_of_global_song ON tenant_songs (song_id, id) WHERE is_global;
