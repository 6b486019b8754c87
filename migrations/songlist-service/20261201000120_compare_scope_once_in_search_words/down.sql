-- As 20261128000280_create_search_words wrote it.
ALTER POLICY search_words_scope ON search_words USING (
    CASE
        WHEN (SELECT current_setting('app.scope', true)) = 'worker' THEN true
        WHEN tenant_id = '00000000-0000-0000-0000-000000000000'
            THEN (SELECT current_setting('app.scope', true)) IN ('tenant', 'platform')
        ELSE tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)
    END
);
