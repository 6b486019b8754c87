CREATE INDEX songs_plain ON songs (title_norm, id)
    WHERE deleted_at IS NULL AND tenant_id IS NULL;
DROP INDEX songs_global_by_title;
ALTER INDEX songs_plain RENAME TO songs_global_by_title;
