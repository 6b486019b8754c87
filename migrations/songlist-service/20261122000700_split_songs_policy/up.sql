-- A tenant reads GLOBAL songs; one policy for all commands would have let it delete them.
DROP POLICY songs_scope ON songs;
CREATE POLICY songs_read ON songs FOR SELECT USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (tenant_id IS NULL AND (SELECT current_setting('app.scope', true)) IN ('tenant', 'platform'))
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
CREATE POLICY songs_insert ON songs FOR INSERT WITH CHECK (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (tenant_id IS NULL AND (SELECT current_setting('app.scope', true)) = 'platform')
);
CREATE POLICY songs_update ON songs FOR UPDATE USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (tenant_id IS NULL AND (SELECT current_setting('app.scope', true)) = 'platform')
);
CREATE POLICY songs_delete ON songs FOR DELETE USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (tenant_id IS NULL AND (SELECT current_setting('app.scope', true)) = 'platform')
);
