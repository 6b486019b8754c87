-- A condition IS NULL gives an index of tenants no order, so GLOBAL songs have indexes of their own.
CREATE INDEX songs_global_newest ON songs (created_at DESC, id DESC) WHERE deleted_at IS NULL AND tenant_id IS NULL;
