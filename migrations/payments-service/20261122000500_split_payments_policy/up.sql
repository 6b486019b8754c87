-- The platform reads payments and subscriptions of tenants; one policy for all commands would have let it delete them.
DROP POLICY payments_scope ON payments;
CREATE POLICY payments_read ON payments FOR SELECT USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (SELECT current_setting('app.scope', true)) IN ('platform', 'worker')
);
CREATE POLICY payments_insert ON payments FOR INSERT WITH CHECK (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
CREATE POLICY payments_update ON payments FOR UPDATE USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
CREATE POLICY payments_delete ON payments FOR DELETE USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);

DROP POLICY subscriptions_scope ON subscriptions;
CREATE POLICY subscriptions_read ON subscriptions FOR SELECT USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (SELECT current_setting('app.scope', true)) IN ('platform', 'worker')
);
CREATE POLICY subscriptions_write ON subscriptions USING ((SELECT current_setting('app.scope', true)) = 'worker');
