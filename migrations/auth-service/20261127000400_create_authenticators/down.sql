ALTER TABLE challenges DROP COLUMN method;
DROP TABLE recovery_codes;
DROP TABLE authenticators;
