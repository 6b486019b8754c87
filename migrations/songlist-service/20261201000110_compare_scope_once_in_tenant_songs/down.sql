-- As 20261124000200_policies_read_settings_once wrote it.
ALTER POLICY tenant_songs_scope ON tenant_songs USING (
    CASE (SELECT current_setting('app.scope', true)) WHEN 'worker' THEN true
    ELSE tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid) END
);
