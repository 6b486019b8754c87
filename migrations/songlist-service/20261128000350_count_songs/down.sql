DROP TRIGGER songs_are_counted_when_inserted ON songs;
DROP TRIGGER songs_are_counted_when_updated ON songs;
DROP FUNCTION count_inserted_songs();
DROP FUNCTION count_updated_songs();
DROP TABLE song_counts;
