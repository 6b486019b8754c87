DROP INDEX songs_by_title;
