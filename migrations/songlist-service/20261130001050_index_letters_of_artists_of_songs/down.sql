DROP INDEX songs_letter_pairs;
