DROP INDEX idempotency_keys_by_tenant;
DROP INDEX outbox_by_tenant;
DROP INDEX challenge_codes_by_tenant;
DROP INDEX refresh_tokens_by_tenant;
DROP INDEX sessions_by_tenant;
