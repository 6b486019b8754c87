-- The distinct words of the songs on a tenant's list, and its artists as one word each: what a mistyped word may have meant.
-- They are never taken out: one that no song has any more finds nothing. Those of GLOBAL songs are under the nil id.
CREATE TABLE search_words (
    tenant_id uuid NOT NULL,
    word text NOT NULL,
    CONSTRAINT search_words_pkey PRIMARY KEY (tenant_id, word)
);
CREATE INDEX search_words_alike ON search_words USING gin (tenant_id, word gin_trgm_ops);

ALTER TABLE search_words ENABLE ROW LEVEL SECURITY;
ALTER TABLE search_words FORCE ROW LEVEL SECURITY;
CREATE POLICY search_words_scope ON search_words
    USING (
        CASE
            WHEN (SELECT current_setting('app.scope', true)) = 'worker' THEN true
            WHEN tenant_id = '00000000-0000-0000-0000-000000000000' THEN (SELECT current_setting('app.scope', true)) IN ('tenant', 'platform')
            ELSE tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)
        END
    )
    WITH CHECK (
        CASE
            WHEN (SELECT current_setting('app.scope', true)) = 'worker' THEN true
            WHEN tenant_id = '00000000-0000-0000-0000-000000000000' THEN (SELECT current_setting('app.scope', true)) = 'platform'
            ELSE tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)
        END
    );
