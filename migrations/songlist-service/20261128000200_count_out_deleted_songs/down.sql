DROP POLICY genres_worker ON genres;
ALTER POLICY songs_update ON songs USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (tenant_id IS NULL AND (SELECT current_setting('app.scope', true)) = 'platform')
);
ALTER TABLE songs DROP COLUMN counted_out;
