ALTER INDEX songs_by_artist RENAME TO songs_covering;
CREATE INDEX songs_by_artist ON songs (tenant_id, artist_norm, id) WHERE deleted_at IS NULL;
