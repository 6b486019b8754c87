-- As songs_global_newest, with what the policy asks for: so a page by number skips songs in the index alone.
CREATE INDEX songs_global_newest_covering ON songs (created_at DESC, id DESC) INCLUDE (tenant_id)
    WHERE deleted_at IS NULL AND tenant_id IS NULL;
