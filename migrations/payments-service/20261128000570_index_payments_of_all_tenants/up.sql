CREATE INDEX payments_of_all_tenants ON payments (created_at DESC, id DESC);
