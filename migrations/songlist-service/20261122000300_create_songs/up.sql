CREATE TABLE songs (
    id uuid CONSTRAINT songs_pkey PRIMARY KEY,
    -- NULL: a GLOBAL song of the platform.
    tenant_id uuid,
    user_id uuid,
    title text NOT NULL,
    artist text NOT NULL,
    album text NOT NULL DEFAULT '',
    -- The compared form, made in Rust: it decides about duplicates, filters and search.
    title_norm text NOT NULL,
    artist_norm text NOT NULL,
    album_norm text NOT NULL,
    genre_id uuid NOT NULL CONSTRAINT songs_genre_fkey REFERENCES genres (id),
    -- Seconds; NULL when unknown.
    duration smallint CONSTRAINT songs_duration_positive CHECK (duration > 0),
    release_year smallint CONSTRAINT songs_release_year_sane CHECK (release_year >= 1800),
    artwork text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz
);
CREATE UNIQUE INDEX songs_tenant_key ON songs (tenant_id, title_norm, artist_norm, album_norm)
    WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;
CREATE UNIQUE INDEX songs_global_key ON songs (title_norm, artist_norm, album_norm)
    WHERE deleted_at IS NULL AND tenant_id IS NULL;
CREATE INDEX songs_newest ON songs (tenant_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX songs_by_genre ON songs (genre_id, tenant_id) WHERE deleted_at IS NULL;
CREATE INDEX songs_search ON songs USING gin (tenant_id, title_norm gin_trgm_ops, artist_norm gin_trgm_ops)
    WHERE deleted_at IS NULL;

ALTER TABLE songs ENABLE ROW LEVEL SECURITY;
ALTER TABLE songs FORCE ROW LEVEL SECURITY;
-- GLOBAL songs are read by every tenant and written by the platform; without any scope nothing is seen.
CREATE POLICY songs_scope ON songs
    USING (
        tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
        OR (tenant_id IS NULL AND (SELECT current_setting('app.scope', true)) IN ('tenant', 'platform'))
        OR (SELECT current_setting('app.scope', true)) = 'worker'
    )
    WITH CHECK (
        tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
        OR (tenant_id IS NULL AND (SELECT current_setting('app.scope', true)) = 'platform')
    );
