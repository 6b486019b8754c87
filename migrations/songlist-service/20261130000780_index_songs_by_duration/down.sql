DROP INDEX songs_by_duration;
