DROP POLICY users_read ON users;
DROP POLICY users_insert ON users;
DROP POLICY users_update ON users;
DROP POLICY users_delete ON users;
CREATE POLICY users_scope ON users
    USING (
        tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
        OR ((SELECT current_setting('app.scope', true)) = 'platform' AND role IN ('SUPER_ADMIN', 'ADMIN'))
        OR (SELECT current_setting('app.scope', true)) = 'worker'
    )
    WITH CHECK (
        tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
        OR ((SELECT current_setting('app.scope', true)) = 'platform' AND tenant_id IS NULL)
    );
