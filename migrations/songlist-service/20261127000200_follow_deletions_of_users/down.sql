DROP TABLE user_versions;
DROP INDEX song_requests_of_user;
DROP INDEX playlists_of_user;
ALTER TABLE song_requests DROP COLUMN deleted_by;
ALTER TABLE playlists DROP COLUMN deleted_by;
