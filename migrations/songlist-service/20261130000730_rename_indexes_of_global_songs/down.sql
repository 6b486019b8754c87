ALTER INDEX songs_global_newest RENAME TO songs_global_newest_covering;
ALTER INDEX songs_global_by_title RENAME TO songs_global_by_title_covering;
ALTER INDEX songs_global_by_artist RENAME TO songs_global_by_artist_covering;
CREATE INDEX songs_global_newest ON songs (created_at DESC, id DESC) WHERE deleted_at IS NULL AND tenant_id IS NULL;
CREATE INDEX songs_global_by_title ON songs (title_norm, id) WHERE deleted_at IS NULL AND tenant_id IS NULL;
CREATE INDEX songs_global_by_artist ON songs (artist_norm, id) WHERE deleted_at IS NULL AND tenant_id IS NULL;
