-- The service that recorded an event; auth-service keeps copies of all.
ALTER TABLE audit_events ADD COLUMN service text NOT NULL DEFAULT 'auth';
