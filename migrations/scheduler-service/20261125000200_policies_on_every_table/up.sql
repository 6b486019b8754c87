-- This service acts in the worker's scope only.
ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs FORCE ROW LEVEL SECURITY;
CREATE POLICY jobs_worker ON jobs USING ((SELECT current_setting('app.scope', true)) = 'worker');
ALTER TABLE runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE runs FORCE ROW LEVEL SECURITY;
CREATE POLICY runs_worker ON runs USING ((SELECT current_setting('app.scope', true)) = 'worker');
ALTER TABLE lease ENABLE ROW LEVEL SECURITY;
ALTER TABLE lease FORCE ROW LEVEL SECURITY;
CREATE POLICY lease_worker ON lease USING ((SELECT current_setting('app.scope', true)) = 'worker');
ALTER TABLE inbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbox FORCE ROW LEVEL SECURITY;
CREATE POLICY inbox_worker ON inbox USING ((SELECT current_setting('app.scope', true)) = 'worker');
