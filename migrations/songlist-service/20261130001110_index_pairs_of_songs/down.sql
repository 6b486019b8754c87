DROP INDEX songs_pairs;
