-- Deleting a song writes its row only. The stored counts of lists follow later; until then `NOT counted_out` tells that they
-- still contain the song.
ALTER TABLE songs ADD COLUMN counted_out boolean NOT NULL DEFAULT false;
ALTER POLICY songs_update ON songs USING (
    tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)
    OR (tenant_id IS NULL AND (SELECT current_setting('app.scope', true)) = 'platform')
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
-- Whether a genre is in use is asked of the songs of all tenants, in the transaction that deletes it.
CREATE POLICY genres_worker ON genres FOR UPDATE USING ((SELECT current_setting('app.scope', true)) = 'worker');
