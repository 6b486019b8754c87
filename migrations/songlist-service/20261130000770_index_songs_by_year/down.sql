DROP INDEX songs_by_year;
