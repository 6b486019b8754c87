DROP INDEX songs_global_by_year;
