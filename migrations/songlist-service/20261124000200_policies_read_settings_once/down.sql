-- As 20261122000900_estimable_policies wrote them.
ALTER POLICY tenant_songs_scope ON tenant_songs USING (
    CASE (SELECT current_setting('app.scope', true)) WHEN 'worker' THEN true
    ELSE tenant_id = nullif(current_setting('app.tenant', true), '')::uuid END
);
ALTER POLICY tenant_song_counts_scope ON tenant_song_counts USING (
    CASE (SELECT current_setting('app.scope', true)) WHEN 'worker' THEN true
    ELSE tenant_id = nullif(current_setting('app.tenant', true), '')::uuid END
);
ALTER POLICY playlists_scope ON playlists USING (
    CASE (SELECT current_setting('app.scope', true)) WHEN 'worker' THEN true
    ELSE tenant_id = nullif(current_setting('app.tenant', true), '')::uuid END
);
ALTER POLICY playlist_entries_scope ON playlist_entries USING (
    CASE (SELECT current_setting('app.scope', true)) WHEN 'worker' THEN true
    ELSE tenant_id = nullif(current_setting('app.tenant', true), '')::uuid END
);
ALTER POLICY song_requests_scope ON song_requests USING (
    CASE (SELECT current_setting('app.scope', true)) WHEN 'worker' THEN true
    ELSE tenant_id = nullif(current_setting('app.tenant', true), '')::uuid END
);
ALTER POLICY songs_read ON songs USING (
    CASE
        WHEN (SELECT current_setting('app.scope', true)) = 'worker' THEN true
        WHEN tenant_id IS NULL THEN (SELECT current_setting('app.scope', true)) IN ('tenant', 'platform')
        ELSE tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    END
);
