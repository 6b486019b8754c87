DROP INDEX songs_global_letter_pairs;
