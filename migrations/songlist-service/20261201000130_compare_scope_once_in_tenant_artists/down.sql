-- As 20261129000200_create_tenant_artists wrote it.
ALTER POLICY tenant_artists_scope ON tenant_artists USING (
    CASE (SELECT current_setting('app.scope', true)) WHEN 'worker' THEN true
    ELSE tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid) END
);
