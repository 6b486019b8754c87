-- Double entry: the lines of an entry sum to zero. Append-only for the service.
CREATE TABLE ledger_lines (
    -- What moved, such as capture:pay_…: an entry is written once.
    entry text NOT NULL,
    account text NOT NULL CONSTRAINT ledger_lines_account_known
        CHECK (account IN ('gateway_receivable', 'revenue', 'gateway_fee', 'gateway_fee_tax', 'refunds_sent')),
    payment_id uuid NOT NULL CONSTRAINT ledger_lines_payment_fkey REFERENCES payments (id),
    tenant_id uuid NOT NULL,
    -- Debits are positive and credits negative; the smallest unit.
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT ledger_lines_pkey PRIMARY KEY (entry, account)
);
CREATE INDEX ledger_lines_by_payment ON ledger_lines (payment_id);
CREATE INDEX ledger_lines_by_tenant ON ledger_lines (tenant_id, created_at);
DO $$ BEGIN
    EXECUTE format('REVOKE UPDATE, DELETE ON ledger_lines FROM %I', replace(current_user, '_owner', '_rw'));
END $$;
CREATE FUNCTION check_ledger_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(amount_minor) FROM ledger_lines WHERE entry = NEW.entry) <> 0 THEN
        RAISE EXCEPTION 'the entry % does not sum to zero', NEW.entry USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balanced';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_balanced AFTER INSERT ON ledger_lines DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_ledger_entry();
ALTER TABLE ledger_lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledger_lines FORCE ROW LEVEL SECURITY;
CREATE POLICY ledger_lines_read ON ledger_lines FOR SELECT USING (
    tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)
    OR (SELECT current_setting('app.scope', true)) IN ('platform', 'worker')
);
CREATE POLICY ledger_lines_insert ON ledger_lines FOR INSERT WITH CHECK ((SELECT current_setting('app.scope', true)) = 'worker');
