-- Budgets of an address count its challenges of an hour or a day, used ones too.
CREATE INDEX challenges_of_address ON challenges (tenant_id, email_norm, purpose, created_at DESC);
