DROP INDEX tenant_songs_letter_pairs;
