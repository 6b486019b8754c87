-- Row-level security and the deletion of a tenant look for its rows. The tables are small: their rows are purged.
CREATE INDEX sessions_by_tenant ON sessions (tenant_id, user_id);
CREATE INDEX refresh_tokens_by_tenant ON refresh_tokens (tenant_id, session_id);
CREATE INDEX challenge_codes_by_tenant ON challenge_codes (tenant_id, challenge_id);
CREATE INDEX outbox_by_tenant ON outbox (tenant_id);
CREATE INDEX idempotency_keys_by_tenant ON idempotency_keys (tenant_id);
