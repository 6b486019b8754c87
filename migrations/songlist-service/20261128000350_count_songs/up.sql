-- The number of live songs of each tenant, and under the nil id of GLOBAL ones: counting a million takes longer than their page.
-- Triggers keep it, once per statement, whichever release writes the song, and also when a superuser does in a session without this
-- search_path.
CREATE TABLE song_counts (
    tenant_id uuid CONSTRAINT song_counts_pkey PRIMARY KEY,
    total bigint NOT NULL
);
ALTER TABLE song_counts ENABLE ROW LEVEL SECURITY;
ALTER TABLE song_counts FORCE ROW LEVEL SECURITY;
CREATE POLICY song_counts_scope ON song_counts
    USING (
        CASE
            WHEN (SELECT current_setting('app.scope', true)) = 'worker' THEN true
            WHEN tenant_id = '00000000-0000-0000-0000-000000000000' THEN (SELECT current_setting('app.scope', true)) IN ('tenant', 'platform')
            ELSE tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)
        END
    )
    WITH CHECK (
        CASE
            WHEN (SELECT current_setting('app.scope', true)) = 'worker' THEN true
            WHEN tenant_id = '00000000-0000-0000-0000-000000000000' THEN (SELECT current_setting('app.scope', true)) = 'platform'
            ELSE tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)
        END
    );

CREATE FUNCTION count_inserted_songs() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO song_counts AS c (tenant_id, total)
    SELECT coalesce(tenant_id, '00000000-0000-0000-0000-000000000000'), count(*)
    FROM inserted WHERE deleted_at IS NULL GROUP BY 1 ORDER BY 1
    ON CONFLICT (tenant_id) DO UPDATE SET total = c.total + excluded.total;
    RETURN NULL;
END $$;
CREATE FUNCTION count_updated_songs() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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
-- In one transaction: the lock that a trigger takes keeps songs from being written between the count and the triggers.
CREATE TRIGGER songs_are_counted_when_inserted AFTER INSERT ON songs
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION count_inserted_songs();
CREATE TRIGGER songs_are_counted_when_updated AFTER UPDATE ON songs
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION count_updated_songs();
SELECT set_config('app.scope', 'worker', true);
INSERT INTO song_counts (tenant_id, total)
SELECT coalesce(tenant_id, '00000000-0000-0000-0000-000000000000'), count(*) FROM songs WHERE deleted_at IS NULL GROUP BY 1;
DO $$ BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION count_inserted_songs(), count_updated_songs() TO %I', replace(current_user, '_owner', '_rw'));
END $$;
