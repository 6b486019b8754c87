-- As 20261124000200_policies_read_settings_once wrote it.
ALTER POLICY songs_read ON songs USING (
    CASE
        WHEN (SELECT current_setting('app.scope', true)) = 'worker' THEN true
        WHEN tenant_id IS NULL THEN (SELECT current_setting('app.scope', true)) IN ('tenant', 'platform')
        ELSE tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)
    END
);
