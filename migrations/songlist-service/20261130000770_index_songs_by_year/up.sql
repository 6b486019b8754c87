CREATE INDEX songs_by_year ON songs (tenant_id, (CASE WHEN release_year IS NULL THEN '0'::smallint ELSE release_year END), id)
    INCLUDE (release_year) WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;
