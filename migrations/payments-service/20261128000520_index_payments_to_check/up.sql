CREATE INDEX payments_to_check ON payments (check_after) WHERE check_after IS NOT NULL;
