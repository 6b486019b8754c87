-- As that of songs.
ALTER POLICY tenant_artists_scope ON tenant_artists USING (
    CASE WHEN (SELECT current_setting('app.scope', true) = 'worker') THEN true
    ELSE tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid) END
);
