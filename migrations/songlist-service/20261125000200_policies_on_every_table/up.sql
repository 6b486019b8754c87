-- Tables without a tenant have policies too: a query in a tenant's scope could have changed every tenant's premium.
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY tenants_read ON tenants FOR SELECT USING (id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid) OR (SELECT current_setting('app.scope', true)) IN ('platform', 'worker'));
CREATE POLICY tenants_worker ON tenants USING ((SELECT current_setting('app.scope', true)) = 'worker');
ALTER TABLE genres ENABLE ROW LEVEL SECURITY;
ALTER TABLE genres FORCE ROW LEVEL SECURITY;
CREATE POLICY genres_read ON genres FOR SELECT USING ((SELECT current_setting('app.scope', true)) <> '');
CREATE POLICY genres_platform ON genres USING ((SELECT current_setting('app.scope', true)) = 'platform');
ALTER TABLE inbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbox FORCE ROW LEVEL SECURITY;
CREATE POLICY inbox_worker ON inbox USING ((SELECT current_setting('app.scope', true)) = 'worker');
-- A tenant's rows refer to rows that it may see. Foreign keys do not know row-level security, and a song may be GLOBAL, so
-- that they cannot carry the tenant.
CREATE POLICY tenant_songs_seen ON tenant_songs AS RESTRICTIVE FOR INSERT
    WITH CHECK (EXISTS (SELECT FROM songs WHERE songs.id = tenant_songs.song_id));
CREATE POLICY playlist_entries_seen ON playlist_entries AS RESTRICTIVE FOR INSERT
    WITH CHECK (
        EXISTS (SELECT FROM playlists WHERE playlists.id = playlist_entries.playlist_id)
        AND EXISTS (SELECT FROM tenant_songs WHERE tenant_songs.id = playlist_entries.tenant_song_id)
    );
CREATE POLICY song_requests_seen ON song_requests AS RESTRICTIVE FOR UPDATE
    WITH CHECK (fulfilled_song IS NULL OR EXISTS (SELECT FROM songs WHERE songs.id = song_requests.fulfilled_song));
