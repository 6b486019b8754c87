-- What this service keeps of a tenant; auth owns it. The version tells which of two events is newer.
CREATE TABLE tenants (
    id uuid CONSTRAINT tenants_pkey PRIMARY KEY,
    name text NOT NULL,
    is_active boolean NOT NULL,
    version bigint NOT NULL
);
