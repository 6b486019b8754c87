-- What compares nothing of a row stands in a sub-select: it is evaluated once for a query and not for every row. A page in the middle of
-- the catalogue, which skips a quarter of a million songs, took 52 ms, and 22 with this.
ALTER POLICY songs_read ON songs USING (
    CASE
        WHEN (SELECT current_setting('app.scope', true) = 'worker') THEN true
        WHEN tenant_id IS NULL THEN (SELECT current_setting('app.scope', true) IN ('tenant', 'platform'))
        ELSE tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)
    END
);
