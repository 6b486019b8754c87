-- Row-level security and the deletion of a tenant look for its rows. The tables are small: their rows are purged.
CREATE INDEX outbox_by_tenant ON outbox (tenant_id);
CREATE INDEX idempotency_keys_by_tenant ON idempotency_keys (tenant_id);
