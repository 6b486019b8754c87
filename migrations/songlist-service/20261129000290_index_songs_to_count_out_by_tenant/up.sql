-- The count of a list looks at the tenant's songs and the GLOBAL ones that were deleted a moment ago, and at those of nobody else.
CREATE INDEX songs_to_count_out_by_tenant ON songs (tenant_id, id) WHERE deleted_at IS NOT NULL AND NOT counted_out;
