-- The planner multiplies the chance of `tenant_id = …` in the query with that in the policy, takes a tenant's list for a few
-- rows and sorts all of it instead of reading a page in order from its index: 4.9 ms a page at 60,000 links, 0.6 ms with this.
-- It has no opinion of a CASE (one half), and the query's own predicate remains an index condition.
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
