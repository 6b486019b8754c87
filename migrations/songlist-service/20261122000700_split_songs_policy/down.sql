DROP POLICY songs_read ON songs;
DROP POLICY songs_insert ON songs;
DROP POLICY songs_update ON songs;
DROP POLICY songs_delete ON songs;
CREATE POLICY songs_scope ON songs
    USING (
        tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
        OR (tenant_id IS NULL AND (SELECT current_setting('app.scope', true)) IN ('tenant', 'platform'))
        OR (SELECT current_setting('app.scope', true)) = 'worker'
    )
    WITH CHECK (
        tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
        OR (tenant_id IS NULL AND (SELECT current_setting('app.scope', true)) = 'platform')
    );
