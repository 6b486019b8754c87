CREATE INDEX payments_by_paid_at ON payments (paid_at) WHERE paid_at IS NOT NULL;
