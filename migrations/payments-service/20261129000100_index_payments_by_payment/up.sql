CREATE INDEX payments_by_payment ON payments (paid_at) WHERE paid_at IS NOT NULL;
