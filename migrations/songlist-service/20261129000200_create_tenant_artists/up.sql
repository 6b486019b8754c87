-- The artists of a tenant's list, in their compared form: a filter by artist looks through these and not through all songs. They are
-- never taken out: one that no song has any more finds nothing. The key is not unique, so that nobody who adds an artist waits for
-- others who do: an artist that two add at the same time is here twice, and finds its songs once.
CREATE TABLE tenant_artists (
    tenant_id uuid NOT NULL,
    artist_norm text NOT NULL
);
CREATE INDEX tenant_artists_key ON tenant_artists (tenant_id, artist_norm);
ALTER TABLE tenant_artists ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_artists FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_artists_scope ON tenant_artists USING (
    CASE (SELECT current_setting('app.scope', true)) WHEN 'worker' THEN true
    ELSE tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid) END
);
