-- Loads pg_trgm: its settings are known from then on.
SELECT show_limit();
-- For each word the most similar ones. The threshold is below the default of pg_trgm, because two swapped letters of a word of
-- five leave a fifth of its trigrams.
CREATE FUNCTION similar_words(tenants uuid[], mistyped text[], most integer) RETURNS TABLE (asked text, word text)
LANGUAGE sql STABLE SET pg_trgm.similarity_threshold = 0.19 AS $$
    SELECT m.asked, v.word
    FROM unnest(mistyped) AS m (asked)
    CROSS JOIN LATERAL (
        SELECT w.word FROM search_words w
        WHERE w.tenant_id = ANY (tenants) AND w.word % m.asked
        ORDER BY similarity(w.word, m.asked) DESC, w.word
        LIMIT most
    ) v
$$;
DO $$ BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION similar_words(uuid[], text[], integer) TO %I', replace(current_user, '_owner', '_rw'));
END $$;
