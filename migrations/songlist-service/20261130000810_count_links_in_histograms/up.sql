-- The triggers that follow links write histograms too. Who has written links with the functions of before is waited for: the job would
-- count without them. In the order in which songs are written, so that this waits for writers and they for this.
LOCK TABLE songs, tenant_songs IN SHARE ROW EXCLUSIVE MODE;
-- What was counted while links were not followed is wrong.
TRUNCATE tenant_song_histograms;
CREATE OR REPLACE FUNCTION follow_inserted_links() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    INSERT INTO tenant_artists (tenant_id, artist_norm)
    SELECT DISTINCT tenant_id, artist_norm FROM inserted i
    WHERE (
        SELECT a.artist_norm FROM tenant_artists a WHERE a.tenant_id = i.tenant_id AND a.artist_norm = i.artist_norm LIMIT 1
    ) IS NULL;
    INSERT INTO tenant_song_landmark_changes (tenant_id, created_at, total, approved)
    SELECT tenant_id, created_at, count(*), count(*) FILTER (WHERE is_active) FROM inserted
    WHERE deleted_at IS NULL GROUP BY tenant_id, created_at;
    INSERT INTO tenant_song_histograms (tenant_id, sorted_by, bucket, total, approved)
    SELECT tenant_id, b.sorted_by, b.bucket, count(*), count(*) FILTER (WHERE is_active)
    FROM inserted CROSS JOIN LATERAL buckets_of(title_norm, artist_norm, release_year) b
    WHERE deleted_at IS NULL GROUP BY tenant_id, b.sorted_by, b.bucket;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION follow_updated_links() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    INSERT INTO tenant_artists (tenant_id, artist_norm)
    SELECT tenant_id, artist_norm FROM (
        SELECT tenant_id, artist_norm FROM after WHERE deleted_at IS NULL
        EXCEPT
        SELECT tenant_id, artist_norm FROM before WHERE deleted_at IS NULL
    ) n
    WHERE (
        SELECT a.artist_norm FROM tenant_artists a WHERE a.tenant_id = n.tenant_id AND a.artist_norm = n.artist_norm LIMIT 1
    ) IS NULL;
    INSERT INTO tenant_song_landmark_changes (tenant_id, created_at, total, approved)
    SELECT tenant_id, created_at, sum(total), sum(approved)
    FROM (
        SELECT tenant_id, created_at, 1 AS total, is_active::integer AS approved FROM after WHERE deleted_at IS NULL
        UNION ALL
        SELECT tenant_id, created_at, -1, -is_active::integer FROM before WHERE deleted_at IS NULL
    ) changes
    GROUP BY tenant_id, created_at HAVING sum(total) <> 0 OR sum(approved) <> 0;
    INSERT INTO tenant_song_histograms (tenant_id, sorted_by, bucket, total, approved)
    SELECT tenant_id, b.sorted_by, b.bucket, sum(total), sum(approved)
    FROM (
        SELECT tenant_id, title_norm, artist_norm, release_year, 1 AS total, is_active::integer AS approved
        FROM after WHERE deleted_at IS NULL
        UNION ALL
        SELECT tenant_id, title_norm, artist_norm, release_year, -1, -is_active::integer FROM before WHERE deleted_at IS NULL
    ) changes
    CROSS JOIN LATERAL buckets_of(title_norm, artist_norm, release_year) b
    GROUP BY tenant_id, b.sorted_by, b.bucket HAVING sum(total) <> 0 OR sum(approved) <> 0;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION follow_deleted_links() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO tenant_song_landmark_changes (tenant_id, created_at, total, approved)
    SELECT tenant_id, created_at, -count(*), -count(*) FILTER (WHERE is_active) FROM deleted
    WHERE deleted_at IS NULL GROUP BY tenant_id, created_at;
    INSERT INTO tenant_song_histograms (tenant_id, sorted_by, bucket, total, approved)
    SELECT tenant_id, b.sorted_by, b.bucket, -count(*), -count(*) FILTER (WHERE is_active)
    FROM deleted CROSS JOIN LATERAL buckets_of(title_norm, artist_norm, release_year) b
    WHERE deleted_at IS NULL GROUP BY tenant_id, b.sorted_by, b.bucket;
    RETURN NULL;
END $$;
-- A deleted song leaves all lists when it is taken out of their counts; until then readers subtract it.
CREATE OR REPLACE FUNCTION follow_counted_out_songs() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    WITH gone AS (
        SELECT l.*
        FROM (SELECT a.id, a.tenant_id FROM after a JOIN before b USING (id) WHERE a.counted_out AND NOT b.counted_out) s
        CROSS JOIN LATERAL (
            SELECT tenant_id, created_at, is_active, title_norm, artist_norm, release_year FROM tenant_songs
            WHERE s.tenant_id IS NULL AND is_global AND song_id = s.id AND deleted_at IS NULL
            UNION ALL
            SELECT tenant_id, created_at, is_active, title_norm, artist_norm, release_year FROM tenant_songs
            WHERE tenant_id = s.tenant_id AND song_id = s.id AND deleted_at IS NULL
        ) l
    ), landmarks AS (
        INSERT INTO tenant_song_landmark_changes (tenant_id, created_at, total, approved)
        SELECT tenant_id, created_at, -count(*), -count(*) FILTER (WHERE is_active) FROM gone GROUP BY tenant_id, created_at
    )
    INSERT INTO tenant_song_histograms (tenant_id, sorted_by, bucket, total, approved)
    SELECT tenant_id, b.sorted_by, b.bucket, -count(*), -count(*) FILTER (WHERE is_active)
    FROM gone CROSS JOIN LATERAL buckets_of(title_norm, artist_norm, release_year) b
    GROUP BY tenant_id, b.sorted_by, b.bucket;
    RETURN NULL;
END $$;
