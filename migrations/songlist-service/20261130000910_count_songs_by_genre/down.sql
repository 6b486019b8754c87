LOCK TABLE songs IN SHARE ROW EXCLUSIVE MODE;
CREATE OR REPLACE FUNCTION count_inserted_songs() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO song_counts AS c (tenant_id, total)
    SELECT coalesce(tenant_id, '00000000-0000-0000-0000-000000000000'), count(*)
    FROM inserted WHERE deleted_at IS NULL GROUP BY 1 ORDER BY 1
    ON CONFLICT (tenant_id) DO UPDATE SET total = c.total + excluded.total;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION count_updated_songs() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO song_counts AS c (tenant_id, total)
    SELECT coalesce(tenant_id, '00000000-0000-0000-0000-000000000000'), sum(by)
    FROM (
        SELECT tenant_id, 1 AS by FROM after WHERE deleted_at IS NULL
        UNION ALL
        SELECT tenant_id, -1 FROM before WHERE deleted_at IS NULL
    ) changes
    GROUP BY 1 HAVING sum(by) <> 0 ORDER BY 1
    ON CONFLICT (tenant_id) DO UPDATE SET total = c.total + excluded.total;
    RETURN NULL;
END $$;
DROP TABLE genre_song_counts;
