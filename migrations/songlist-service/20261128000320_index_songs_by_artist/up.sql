CREATE INDEX songs_by_artist ON songs (tenant_id, artist_norm, id) WHERE deleted_at IS NULL;
