CREATE INDEX tenant_songs_plain ON tenant_songs (tenant_id, title_norm, id)
    WHERE deleted_at IS NULL;
DROP INDEX tenant_songs_by_title;
ALTER INDEX tenant_songs_plain RENAME TO tenant_songs_by_title;
