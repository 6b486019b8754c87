DROP INDEX IF EXISTS playlists_of_user;
