-- The artists of the lists that are there already, with a commit after each tenant. It may be repeated.
DO $$
DECLARE
    tenant uuid;
BEGIN
    PERFORM set_config('app.scope', 'worker', true);
    FOR tenant IN SELECT tenant_id FROM tenant_song_counts ORDER BY tenant_id LOOP
        PERFORM set_config('app.scope', 'worker', true);
        -- Also of links that were removed: they may be restored.
        INSERT INTO tenant_artists (tenant_id, artist_norm)
        SELECT DISTINCT tenant_id, artist_norm FROM tenant_songs WHERE tenant_id = tenant
        EXCEPT SELECT tenant_id, artist_norm FROM tenant_artists WHERE tenant_id = tenant;
        COMMIT;
    END LOOP;
END $$;
