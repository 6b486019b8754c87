-- What a user has made is hidden and brought back as a whole.
CREATE INDEX playlists_of_user ON playlists (tenant_id, user_id);
