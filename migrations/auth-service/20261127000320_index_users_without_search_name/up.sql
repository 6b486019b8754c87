-- The job auth.fill-names looks for them: those of before, and those that an older version writes during a rollout.
CREATE INDEX users_without_search_name ON users (id) WHERE name_norm = '';
