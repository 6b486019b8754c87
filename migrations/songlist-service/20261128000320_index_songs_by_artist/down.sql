DROP INDEX songs_by_artist;
