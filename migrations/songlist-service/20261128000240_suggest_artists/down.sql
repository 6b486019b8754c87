DROP FUNCTION suggest_artists(uuid, text, text, boolean, integer);
