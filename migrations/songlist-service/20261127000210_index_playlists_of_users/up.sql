-- What a user has made is hidden and brought back as a whole. The index may be there already: the migration before this one
-- made it at first, together with the columns, which kept readers waiting.
CREATE INDEX IF NOT EXISTS playlists_of_user ON playlists (tenant_id, user_id);
