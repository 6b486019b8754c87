-- What was learnt about each payment, in the order in which it was learnt: its state is computed from these. Append-only for the
-- service.
CREATE TABLE payment_facts (
    payment_id uuid NOT NULL CONSTRAINT payment_facts_payment_fkey REFERENCES payments (id),
    -- 1, 2 and so on, counted under the lock of the payment's row.
    seq integer NOT NULL,
    tenant_id uuid NOT NULL,
    fact jsonb NOT NULL,
    cause text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT payment_facts_pkey PRIMARY KEY (payment_id, seq)
);
CREATE INDEX payment_facts_by_tenant ON payment_facts (tenant_id, payment_id);
-- The ids of payments at Razorpay, by which refunds and disputes name them.
CREATE TABLE gateway_payments (
    gateway_id text CONSTRAINT gateway_payments_pkey PRIMARY KEY,
    payment_id uuid NOT NULL CONSTRAINT gateway_payments_payment_fkey REFERENCES payments (id),
    tenant_id uuid NOT NULL
);
CREATE INDEX gateway_payments_by_tenant ON gateway_payments (tenant_id, payment_id);
DO $$ BEGIN
    EXECUTE format('REVOKE UPDATE, DELETE ON payment_facts, gateway_payments FROM %I', replace(current_user, '_owner', '_rw'));
END $$;
ALTER TABLE payment_facts ENABLE ROW LEVEL SECURITY;
ALTER TABLE payment_facts FORCE ROW LEVEL SECURITY;
CREATE POLICY payment_facts_read ON payment_facts FOR SELECT USING (
    tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)
    OR (SELECT current_setting('app.scope', true)) IN ('platform', 'worker')
);
CREATE POLICY payment_facts_insert ON payment_facts FOR INSERT WITH CHECK (
    tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
ALTER TABLE gateway_payments ENABLE ROW LEVEL SECURITY;
ALTER TABLE gateway_payments FORCE ROW LEVEL SECURITY;
CREATE POLICY gateway_payments_worker ON gateway_payments USING ((SELECT current_setting('app.scope', true)) = 'worker');
