-- Guesses at codes that name an address instead of a challenge: anybody can make them, so they have a budget of their own
-- and never use up a challenge.
CREATE TABLE address_guesses (
    tenant_id uuid,
    purpose text NOT NULL CONSTRAINT address_guesses_purpose_known CHECK (purpose IN ('VERIFY', 'RESET')),
    email_norm text NOT NULL,
    guesses integer NOT NULL,
    since timestamptz NOT NULL,
    CONSTRAINT address_guesses_key UNIQUE NULLS NOT DISTINCT (tenant_id, purpose, email_norm)
);
CREATE INDEX address_guesses_by_age ON address_guesses (since);
ALTER TABLE address_guesses ENABLE ROW LEVEL SECURITY;
ALTER TABLE address_guesses FORCE ROW LEVEL SECURITY;
CREATE POLICY address_guesses_scope ON address_guesses USING (
    CASE (SELECT current_setting('app.scope', true))
        WHEN 'worker' THEN true
        WHEN 'platform' THEN tenant_id IS NULL
        ELSE tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)
    END
);
-- A challenge whose code an operator was shown is answered whatever the account's budget is.
ALTER TABLE challenges ADD COLUMN by_operator boolean NOT NULL DEFAULT false;
