DROP INDEX songs_global_pairs;
