ALTER POLICY tenant_songs_scope ON tenant_songs USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
ALTER POLICY tenant_song_counts_scope ON tenant_song_counts USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
ALTER POLICY playlists_scope ON playlists USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
ALTER POLICY playlist_entries_scope ON playlist_entries USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
ALTER POLICY song_requests_scope ON song_requests USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
ALTER POLICY songs_read ON songs USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (tenant_id IS NULL AND (SELECT current_setting('app.scope', true)) IN ('tenant', 'platform'))
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
