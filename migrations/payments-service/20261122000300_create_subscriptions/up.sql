CREATE TABLE subscriptions (
    tenant_id uuid CONSTRAINT subscriptions_pkey PRIMARY KEY,
    is_premium boolean NOT NULL,
    activated_at timestamptz,
    source text NOT NULL,
    payment_id uuid CONSTRAINT subscriptions_payment_fkey REFERENCES payments (id),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

ALTER TABLE subscriptions ENABLE ROW LEVEL SECURITY;
ALTER TABLE subscriptions FORCE ROW LEVEL SECURITY;
CREATE POLICY subscriptions_scope ON subscriptions
    USING (
        tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
        OR (SELECT current_setting('app.scope', true)) IN ('platform', 'worker')
    )
    WITH CHECK ((SELECT current_setting('app.scope', true)) = 'worker');
