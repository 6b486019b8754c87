-- What a user has made is hidden and brought back as a whole.
CREATE INDEX song_requests_of_user ON song_requests (tenant_id, user_id);
