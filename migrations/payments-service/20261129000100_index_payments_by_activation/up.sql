CREATE INDEX payments_by_activation ON payments (activated_at) WHERE activated_at IS NOT NULL;
