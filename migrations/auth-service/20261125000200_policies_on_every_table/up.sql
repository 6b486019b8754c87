-- Tables without a tenant have policies too: a query in a tenant's scope could have changed every tenant.
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY tenants_read ON tenants FOR SELECT USING (id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid) OR (SELECT current_setting('app.scope', true)) IN ('platform', 'worker'));
CREATE POLICY tenants_insert ON tenants FOR INSERT WITH CHECK ((SELECT current_setting('app.scope', true)) = 'platform');
CREATE POLICY tenants_update ON tenants FOR UPDATE USING (id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid) OR (SELECT current_setting('app.scope', true)) IN ('platform', 'worker'));
ALTER TABLE revocations ENABLE ROW LEVEL SECURITY;
ALTER TABLE revocations FORCE ROW LEVEL SECURITY;
CREATE POLICY revocations_read ON revocations FOR SELECT USING ((SELECT current_setting('app.scope', true)) <> '');
CREATE POLICY revocations_insert ON revocations FOR INSERT WITH CHECK ((SELECT current_setting('app.scope', true)) <> '');
CREATE POLICY revocations_update ON revocations FOR UPDATE USING ((SELECT current_setting('app.scope', true)) <> '');
CREATE POLICY revocations_purge ON revocations FOR DELETE USING ((SELECT current_setting('app.scope', true)) = 'worker');
ALTER TABLE signing_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE signing_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY signing_keys_platform ON signing_keys USING ((SELECT current_setting('app.scope', true)) = 'platform');
ALTER TABLE inbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbox FORCE ROW LEVEL SECURITY;
CREATE POLICY inbox_worker ON inbox USING ((SELECT current_setting('app.scope', true)) = 'worker');
