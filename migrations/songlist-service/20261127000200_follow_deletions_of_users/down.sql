DROP TABLE user_versions;
ALTER TABLE song_requests DROP COLUMN deleted_by;
ALTER TABLE playlists DROP COLUMN deleted_by;
