-- The songs on a tenant's list. What lists sort and filter by is copied from the song: sorting through a join took a
-- second for a million links.
CREATE TABLE tenant_songs (
    id uuid CONSTRAINT tenant_songs_pkey PRIMARY KEY,
    tenant_id uuid NOT NULL,
    song_id uuid NOT NULL CONSTRAINT tenant_songs_song_fkey REFERENCES songs (id),
    -- Approved.
    is_active boolean NOT NULL,
    title_norm text NOT NULL,
    artist_norm text NOT NULL,
    album_norm text NOT NULL,
    genre_id uuid NOT NULL,
    -- 0 when unknown: it sorts before every year.
    release_year smallint NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT tenant_songs_song_key UNIQUE (tenant_id, song_id)
);
CREATE INDEX tenant_songs_newest ON tenant_songs (tenant_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX tenant_songs_newest_approved ON tenant_songs (tenant_id, created_at DESC, id DESC)
    WHERE deleted_at IS NULL AND is_active;
CREATE INDEX tenant_songs_by_title ON tenant_songs (tenant_id, title_norm, id) WHERE deleted_at IS NULL;
CREATE INDEX tenant_songs_by_artist ON tenant_songs (tenant_id, artist_norm, id) WHERE deleted_at IS NULL;
CREATE INDEX tenant_songs_by_year ON tenant_songs (tenant_id, release_year, id) WHERE deleted_at IS NULL;
CREATE INDEX tenant_songs_search ON tenant_songs USING gin (tenant_id, title_norm gin_trgm_ops, artist_norm gin_trgm_ops)
    WHERE deleted_at IS NULL;

-- Exact counts, kept with every write of a link: counting a long list for every page would cost more than the page.
CREATE TABLE tenant_song_counts (
    tenant_id uuid CONSTRAINT tenant_song_counts_pkey PRIMARY KEY,
    total bigint NOT NULL DEFAULT 0,
    approved bigint NOT NULL DEFAULT 0
);

ALTER TABLE tenant_songs ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_songs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_songs_scope ON tenant_songs USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
ALTER TABLE tenant_song_counts ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_song_counts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_song_counts_scope ON tenant_song_counts USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
