DROP INDEX songs_to_count_out;
