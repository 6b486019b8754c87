CREATE INDEX songs_by_duration ON songs (tenant_id, (CASE WHEN duration IS NULL THEN '0'::smallint ELSE duration END), id)
    INCLUDE (duration) WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;
