DROP FUNCTION similar_words(uuid[], text[], integer);
