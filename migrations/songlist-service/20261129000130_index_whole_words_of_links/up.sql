-- As those of songs.
CREATE INDEX tenant_songs_words_whole ON tenant_songs USING gin (tenant_id, string_to_array(words, ' ')) WITH (gin_pending_list_limit = 512)
    WHERE deleted_at IS NULL;
DROP INDEX tenant_songs_words;
ALTER INDEX tenant_songs_words_whole RENAME TO tenant_songs_words;
