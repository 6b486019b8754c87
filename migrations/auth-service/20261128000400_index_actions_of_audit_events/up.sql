-- The filters of GET /audit/.
CREATE INDEX audit_events_of_action ON audit_events (tenant_id, action, created_at DESC);
