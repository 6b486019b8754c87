CREATE INDEX audit_events_of_actor ON audit_events (tenant_id, actor_id, created_at DESC);
