CREATE TABLE payments (
    id uuid CONSTRAINT payments_pkey PRIMARY KEY,
    tenant_id uuid NOT NULL,
    -- What Razorpay calls reference_id: unique for all time, so that a link whose creation was not answered can be found.
    reference_id text NOT NULL CONSTRAINT payments_reference_key UNIQUE,
    status text NOT NULL CONSTRAINT payments_status_known
        CHECK (status IN ('CREATED', 'PENDING', 'PAID', 'VERIFIED', 'ACTIVATED', 'FAILED', 'REFUNDED')),
    -- Frozen when the link was asked for; the smallest unit.
    amount_minor bigint NOT NULL CONSTRAINT payments_amount_positive CHECK (amount_minor > 0),
    currency text NOT NULL,
    attempt_number integer NOT NULL,
    razorpay_payment_link_id text CONSTRAINT payments_link_key UNIQUE,
    razorpay_order_id text,
    razorpay_payment_id text CONSTRAINT payments_payment_key UNIQUE,
    payment_link_url text,
    error_message text NOT NULL DEFAULT '',
    expires_at timestamptz,
    paid_at timestamptz,
    verified_at timestamptz,
    activated_at timestamptz,
    -- When the gateway was asked last.
    checked_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX payments_one_open ON payments (tenant_id) WHERE status IN ('CREATED', 'PENDING');
CREATE INDEX payments_newest ON payments (tenant_id, created_at DESC, id DESC);
CREATE INDEX payments_unsettled ON payments (checked_at NULLS FIRST) WHERE status IN ('CREATED', 'PENDING', 'PAID');
CREATE INDEX payments_by_order ON payments (razorpay_order_id) WHERE razorpay_order_id IS NOT NULL;

-- Every change of state with its cause; append-only for the service.
CREATE TABLE payment_changes (
    id uuid CONSTRAINT payment_changes_pkey PRIMARY KEY,
    payment_id uuid NOT NULL CONSTRAINT payment_changes_payment_fkey REFERENCES payments (id),
    tenant_id uuid NOT NULL,
    status text NOT NULL,
    cause text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX payment_changes_in_order ON payment_changes (payment_id, created_at, id);
DO $$ BEGIN
    EXECUTE format('REVOKE UPDATE, DELETE ON payment_changes FROM %I', replace(current_user, '_owner', '_rw'));
END $$;

ALTER TABLE payments ENABLE ROW LEVEL SECURITY;
ALTER TABLE payments FORCE ROW LEVEL SECURITY;
-- A SUPER_ADMIN reads every payment; only the tenant and workers write.
CREATE POLICY payments_scope ON payments
    USING (
        tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
        OR (SELECT current_setting('app.scope', true)) IN ('platform', 'worker')
    )
    WITH CHECK (
        tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
        OR (SELECT current_setting('app.scope', true)) = 'worker'
    );
ALTER TABLE payment_changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE payment_changes FORCE ROW LEVEL SECURITY;
CREATE POLICY payment_changes_scope ON payment_changes
    USING (
        tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
        OR (SELECT current_setting('app.scope', true)) IN ('platform', 'worker')
    )
    WITH CHECK (
        tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
        OR (SELECT current_setting('app.scope', true)) = 'worker'
    );
