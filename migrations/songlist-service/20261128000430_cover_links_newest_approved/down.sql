CREATE INDEX tenant_songs_plain ON tenant_songs (tenant_id, created_at DESC, id DESC)
    WHERE deleted_at IS NULL AND is_active;
DROP INDEX tenant_songs_newest_approved;
ALTER INDEX tenant_songs_plain RENAME TO tenant_songs_newest_approved;
