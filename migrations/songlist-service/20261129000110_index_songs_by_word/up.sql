-- A song has five words and thirty trigrams of them: whole words are entered and found several times as fast. What was typed of a word
-- is completed from search_words.
CREATE INDEX songs_by_word ON songs USING gin (tenant_id, string_to_array(words, ' ')) WITH (gin_pending_list_limit = 512)
    WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;
