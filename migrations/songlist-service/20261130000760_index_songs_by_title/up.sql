-- The catalogue of an ADMIN is two lists that are merged, own songs and GLOBAL ones: each has an index for every order.
CREATE INDEX songs_by_title ON songs (tenant_id, title_norm, id) WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;
