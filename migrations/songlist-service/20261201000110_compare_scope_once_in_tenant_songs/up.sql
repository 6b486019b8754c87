-- As that of songs.
ALTER POLICY tenant_songs_scope ON tenant_songs USING (
    CASE WHEN (SELECT current_setting('app.scope', true) = 'worker') THEN true
    ELSE tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid) END
);
