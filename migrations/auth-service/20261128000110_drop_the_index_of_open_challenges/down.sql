CREATE INDEX challenges_by_address ON challenges (tenant_id, email_norm, purpose, created_at DESC)
    WHERE consumed_at IS NULL;
