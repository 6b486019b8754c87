DROP INDEX playlists_of_user;
