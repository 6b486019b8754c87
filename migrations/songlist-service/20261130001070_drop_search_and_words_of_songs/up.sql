DROP INDEX songs_search, songs_letters, songs_global_search, songs_global_letters,
    songs_by_word, songs_global_by_word;
