DROP INDEX idempotency_keys_by_tenant;
DROP INDEX outbox_by_tenant;
