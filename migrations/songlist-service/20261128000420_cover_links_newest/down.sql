CREATE INDEX tenant_songs_plain ON tenant_songs (tenant_id, created_at DESC, id DESC)
    WHERE deleted_at IS NULL;
DROP INDEX tenant_songs_newest;
ALTER INDEX tenant_songs_plain RENAME TO tenant_songs_newest;
