-- Without it a page of the catalogue by year sorts all GLOBAL songs: 0.4 s for a million. Songs without a year come before all others; as
-- NULL they would be no part of the range in which a page by cursor begins.
CREATE INDEX songs_global_by_year ON songs ((CASE WHEN release_year IS NULL THEN '0'::smallint ELSE release_year END), id)
    INCLUDE (release_year, tenant_id) WHERE deleted_at IS NULL AND tenant_id IS NULL;
