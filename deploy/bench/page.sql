\startpipeline
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL app.tenant = 'TENANT';
SET LOCAL app.scope = 'tenant';
SELECT total, approved FROM tenant_song_counts WHERE tenant_id = :tenant;
SELECT id, song_id, title, artist, album, genre_id, duration, release_year, artwork, is_global, is_active, created_at, updated_at FROM tenant_songs WHERE tenant_id = :tenant AND deleted_at IS NULL AND NOT EXISTS (SELECT id FROM songs WHERE songs.id = tenant_songs.song_id AND songs.deleted_at IS NOT NULL) AND is_active ORDER BY created_at DESC, id DESC LIMIT 21;
COMMIT;
\endpipeline
