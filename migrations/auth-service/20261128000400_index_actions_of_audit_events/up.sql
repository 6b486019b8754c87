-- The filters of GET /audit/.
CREATE INDEX audit_events_of_action ON audit_events (tenant_id, action, created_at DESC);
CREATE INDEX audit_events_of_actor ON audit_events (tenant_id, actor_id, created_at DESC);
