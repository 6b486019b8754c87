-- As songs_global_by_title, with what the policy asks for.
CREATE INDEX songs_global_by_title_covering ON songs (title_norm, id) INCLUDE (tenant_id)
    WHERE deleted_at IS NULL AND tenant_id IS NULL;
