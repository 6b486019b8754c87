-- Where a page in the middle of a long list begins that is not in the order of time: how many links have a title, or an artist, that begins
-- with each letter (its code point), and how many are of each year. The rows of a bucket add up: the base, which a job counts, and what
-- has changed since, which triggers write, so that nobody who changes a list waits for others.
CREATE TABLE tenant_song_histograms (
    tenant_id uuid NOT NULL,
    sorted_by text NOT NULL,
    bucket integer NOT NULL,
    total bigint NOT NULL,
    approved bigint NOT NULL,
    is_base boolean NOT NULL DEFAULT false,
    CONSTRAINT tenant_song_histograms_sorted_by CHECK (sorted_by IN ('title', 'artist', 'release_year'))
);
CREATE INDEX tenant_song_histograms_of_tenant ON tenant_song_histograms (tenant_id, sorted_by, bucket);
ALTER TABLE tenant_song_histograms ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_song_histograms FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_song_histograms_scope ON tenant_song_histograms USING (
    CASE (SELECT current_setting('app.scope', true)) WHEN 'worker' THEN true
    ELSE tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid) END
);
-- The bucket of a link in each order.
CREATE FUNCTION buckets_of(title_norm text, artist_norm text, release_year smallint)
RETURNS TABLE (sorted_by text, bucket integer) LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT * FROM (VALUES ('title', ascii(title_norm)), ('artist', ascii(artist_norm)), ('release_year', release_year::integer)) b
$$;
DO $$ BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION buckets_of(text, text, smallint) TO %I', replace(current_user, '_owner', '_rw'));
END $$;
