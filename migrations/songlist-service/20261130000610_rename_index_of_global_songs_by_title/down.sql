ALTER INDEX songs_global_by_title RENAME TO songs_covering;
CREATE INDEX songs_global_by_title ON songs (title_norm, id) WHERE deleted_at IS NULL AND tenant_id IS NULL;
