DROP POLICY payments_read ON payments;
DROP POLICY payments_insert ON payments;
DROP POLICY payments_update ON payments;
DROP POLICY payments_delete ON payments;
CREATE POLICY payments_scope ON payments
    USING (
        tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
        OR (SELECT current_setting('app.scope', true)) IN ('platform', 'worker')
    )
    WITH CHECK (
        tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
        OR (SELECT current_setting('app.scope', true)) = 'worker'
    );

DROP POLICY subscriptions_read ON subscriptions;
DROP POLICY subscriptions_write ON subscriptions;
CREATE POLICY subscriptions_scope ON subscriptions
    USING (
        tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
        OR (SELECT current_setting('app.scope', true)) IN ('platform', 'worker')
    )
    WITH CHECK ((SELECT current_setting('app.scope', true)) = 'worker');
