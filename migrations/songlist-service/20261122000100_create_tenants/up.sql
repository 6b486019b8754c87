-- What this service keeps of a tenant; auth owns name and state, payments owns premium. Versions tell which event is newer.
CREATE TABLE tenants (
    id uuid CONSTRAINT tenants_pkey PRIMARY KEY,
    is_premium boolean NOT NULL DEFAULT false,
    premium_version bigint NOT NULL DEFAULT 0
);
