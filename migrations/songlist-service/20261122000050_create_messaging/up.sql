-- The same three tables in every service: messages to send, messages seen, answers of repeatable requests.
CREATE TABLE outbox (
    id uuid CONSTRAINT outbox_pkey PRIMARY KEY,
    topic text NOT NULL,
    tenant_id uuid,
    aggregate_id uuid NOT NULL,
    version bigint NOT NULL,
    payload jsonb NOT NULL,
    request_id text NOT NULL,
    state text NOT NULL DEFAULT 'pending' CONSTRAINT outbox_state_known CHECK (state IN ('pending', 'sent', 'dead')),
    attempts integer NOT NULL DEFAULT 0,
    -- The database's clock: claims of several replicas are compared by it.
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz
);
CREATE INDEX outbox_due ON outbox (next_attempt_at) WHERE state = 'pending';
CREATE INDEX outbox_sent ON outbox (sent_at) WHERE state = 'sent';

CREATE TABLE inbox (
    consumer text NOT NULL,
    message_id uuid NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT inbox_pkey PRIMARY KEY (consumer, message_id)
);
CREATE INDEX inbox_by_age ON inbox (received_at);

CREATE TABLE idempotency_keys (
    -- Route and user.
    scope text NOT NULL,
    key text NOT NULL,
    -- The tenant of the transaction that writes it.
    tenant_id uuid DEFAULT nullif(current_setting('app.tenant', true), '')::uuid,
    request_hash text NOT NULL,
    reply jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox FORCE ROW LEVEL SECURITY;
-- Whoever writes for a tenant may write its messages; only the relay reads them.
CREATE POLICY outbox_write ON outbox FOR INSERT WITH CHECK (
    tenant_id IS NULL AND (SELECT current_setting('app.scope', true)) <> ''
    OR tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (SELECT current_setting('app.scope', true)) IN ('platform', 'worker')
);
CREATE POLICY outbox_relay ON outbox USING ((SELECT current_setting('app.scope', true)) = 'worker');

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY idempotency_keys_scope ON idempotency_keys USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR ((SELECT current_setting('app.scope', true)) = 'platform' AND tenant_id IS NULL)
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
