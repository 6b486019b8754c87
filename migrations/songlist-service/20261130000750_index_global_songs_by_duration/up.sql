CREATE INDEX songs_global_by_duration ON songs ((CASE WHEN duration IS NULL THEN '0'::smallint ELSE duration END), id)
    INCLUDE (duration, tenant_id) WHERE deleted_at IS NULL AND tenant_id IS NULL;
