-- Fills the column in batches with a commit after each, so that no user is locked for longer than a batch takes. It may be
-- repeated. Row-level security is forced for the owner too, and workers may not change users otherwise.
DROP POLICY IF EXISTS users_fill ON users;
CREATE POLICY users_fill ON users FOR UPDATE USING ((SELECT current_setting('app.scope', true)) = 'worker');
DO $$
DECLARE
    after uuid := '00000000-0000-0000-0000-000000000000';
    next uuid;
BEGIN
    LOOP
        PERFORM set_config('app.scope', 'worker', true);
        SELECT (array_agg(id ORDER BY id DESC))[1] INTO next
        FROM (SELECT id FROM users WHERE id > after ORDER BY id LIMIT 5000) batch;
        EXIT WHEN next IS NULL;
        UPDATE users SET name_norm = regexp_replace(
            normalize(lower(first_name || ' ' || last_name || ' ' || username), NFKD), '[\u0300-\u036f]', '', 'g')
        WHERE id > after AND id <= next AND name_norm = '';
        after := next;
        COMMIT;
    END LOOP;
END $$;
DROP POLICY users_fill ON users;
