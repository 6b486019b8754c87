-- As those of the tenants' own songs.
CREATE INDEX songs_global_words_whole ON songs USING gin (string_to_array(words, ' ')) WITH (gin_pending_list_limit = 512)
    WHERE deleted_at IS NULL AND tenant_id IS NULL;
DROP INDEX songs_global_words;
ALTER INDEX songs_global_words_whole RENAME TO songs_global_words;
