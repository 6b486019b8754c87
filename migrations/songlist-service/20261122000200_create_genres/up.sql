CREATE TABLE genres (
    id uuid CONSTRAINT genres_pkey PRIMARY KEY,
    name text NOT NULL,
    name_norm text NOT NULL,
    description text NOT NULL DEFAULT '',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz
);
CREATE UNIQUE INDEX genres_name_key ON genres (name_norm) WHERE deleted_at IS NULL;
