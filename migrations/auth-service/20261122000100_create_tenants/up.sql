CREATE TABLE tenants (
    id uuid CONSTRAINT tenants_pkey PRIMARY KEY,
    name text NOT NULL,
    -- Names are unique without case among live tenants; Rust folds them.
    name_norm text NOT NULL,
    slug text NOT NULL CONSTRAINT tenants_slug_shape CHECK (slug ~ '^[a-z0-9-]{3,63}$'),
    is_active boolean NOT NULL DEFAULT true,
    -- Projection of what payments owns; premium_version tells which of two events is newer.
    is_premium boolean NOT NULL DEFAULT false,
    premium_version bigint NOT NULL DEFAULT 0,
    -- Live users, kept with every write to users.
    user_count bigint NOT NULL DEFAULT 0,
    -- Raised when every token of the tenant has to die.
    token_version bigint NOT NULL DEFAULT 1,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz
);
CREATE UNIQUE INDEX tenants_name_key ON tenants (name_norm) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX tenants_slug_key ON tenants (slug);
CREATE INDEX tenants_newest ON tenants (created_at DESC, id DESC) WHERE deleted_at IS NULL;
