-- The service that recorded an event; auth-service keeps copies of all. Which one recorded the events of before is not known.
ALTER TABLE audit_events ADD COLUMN service text NOT NULL DEFAULT '';
ALTER TABLE audit_events ALTER COLUMN service SET DEFAULT 'auth';
