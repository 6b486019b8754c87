-- The platform and workers read users of tenants; one policy for all commands would have let them delete them.
DROP POLICY users_scope ON users;
CREATE POLICY users_read ON users FOR SELECT USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR ((SELECT current_setting('app.scope', true)) = 'platform' AND role IN ('SUPER_ADMIN', 'ADMIN'))
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
CREATE POLICY users_insert ON users FOR INSERT WITH CHECK (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR ((SELECT current_setting('app.scope', true)) = 'platform' AND tenant_id IS NULL)
);
CREATE POLICY users_update ON users FOR UPDATE USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR ((SELECT current_setting('app.scope', true)) = 'platform' AND tenant_id IS NULL)
);
CREATE POLICY users_delete ON users FOR DELETE USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR ((SELECT current_setting('app.scope', true)) = 'platform' AND tenant_id IS NULL)
);
