DROP INDEX songs_global_texts;
