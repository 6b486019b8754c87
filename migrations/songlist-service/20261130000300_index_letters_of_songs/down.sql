DROP INDEX songs_letters;
