DROP TABLE playlist_entries;
DROP TABLE playlists;
