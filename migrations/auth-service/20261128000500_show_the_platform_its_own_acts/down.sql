DROP POLICY audit_events_scope ON audit_events;
CREATE POLICY audit_events_scope ON audit_events USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR ((SELECT current_setting('app.scope', true)) = 'platform' AND tenant_id IS NULL)
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
DROP INDEX audit_events_of_platform;
