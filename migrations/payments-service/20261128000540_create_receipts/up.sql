-- One for each payment that gave premium.
CREATE TABLE receipts (
    payment_id uuid CONSTRAINT receipts_pkey PRIMARY KEY CONSTRAINT receipts_payment_fkey REFERENCES payments (id),
    tenant_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX receipts_by_tenant ON receipts (tenant_id);
DO $$ BEGIN
    EXECUTE format('REVOKE UPDATE, DELETE ON receipts FROM %I', replace(current_user, '_owner', '_rw'));
END $$;
ALTER TABLE receipts ENABLE ROW LEVEL SECURITY;
ALTER TABLE receipts FORCE ROW LEVEL SECURITY;
CREATE POLICY receipts_read ON receipts FOR SELECT USING (
    tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)
    OR (SELECT current_setting('app.scope', true)) IN ('platform', 'worker')
);
CREATE POLICY receipts_insert ON receipts FOR INSERT WITH CHECK ((SELECT current_setting('app.scope', true)) = 'worker');
