-- Ed25519 keys of the tokens; the private part is AES-256-GCM under AUTH_KEY_ENCRYPTION_KEY, bound to its kid.
CREATE TABLE signing_keys (
    kid text CONSTRAINT signing_keys_pkey PRIMARY KEY,
    sealed bytea NOT NULL,
    nonce bytea NOT NULL,
    state text NOT NULL CONSTRAINT signing_keys_state_known CHECK (state IN ('next', 'active', 'retiring')),
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX signing_keys_one_active ON signing_keys (state) WHERE state = 'active';
