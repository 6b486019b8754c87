-- What needs privilege, once per cluster and database: roles, schemas, extensions, grants. Run as a superuser inside the
-- database; it may be run again. Passwords are set by whoever runs it (ALTER ROLE … PASSWORD), never here.

REVOKE ALL ON SCHEMA public FROM PUBLIC;
DO $$ BEGIN EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()); END $$;

CREATE SCHEMA IF NOT EXISTS extensions;
GRANT USAGE ON SCHEMA extensions TO PUBLIC;
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA extensions;
CREATE EXTENSION IF NOT EXISTS btree_gin SCHEMA extensions;

-- A condition under row-level security reaches an index only when its function is leakproof; without, search reads every row of the
-- table. These compare texts and report nothing of what they compared, but one of them a wrong pattern, and patterns are the services' own.
-- Those of arrays compare by the equality of the elements' type: no table under row-level security has arrays of a type that is not
-- built in.
ALTER FUNCTION pg_catalog.textlike(text, text) LEAKPROOF;
ALTER FUNCTION pg_catalog.string_to_array(text, text) LEAKPROOF;
ALTER FUNCTION pg_catalog.arrayoverlap(anyarray, anyarray) LEAKPROOF;
ALTER FUNCTION pg_catalog.arraycontains(anyarray, anyarray) LEAKPROOF;
ALTER FUNCTION extensions.similarity_op(text, text) LEAKPROOF;
ALTER FUNCTION extensions.word_similarity_op(text, text) LEAKPROOF;
ALTER FUNCTION extensions.word_similarity_commutator_op(text, text) LEAKPROOF;

-- The letters of a text, and the pairs of letters that stand side by side: what an index has of texts of which a part without trigrams
-- may be looked for. Here, because only a superuser makes a function leakproof. The index keeps what it returned: for anything else make
-- another function and another index. Making rows of letters and joining them takes twice as long as these expressions, which part the text
-- behind each second letter, from its first letter on and from its second: by U+001F, which no compared form has. All names have their
-- schema, because the function runs with the search path of whoever calls it.
CREATE OR REPLACE FUNCTION extensions.letters_and_pairs(text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 1000 AS $$
BEGIN
  RETURN pg_catalog.array_cat(
    pg_catalog.string_to_array($1, NULL),
    pg_catalog.string_to_array(
      pg_catalog.rtrim(
        pg_catalog.textcat(
          pg_catalog.regexp_replace($1, '..?', E'\\&\x1f', 'g'),
          pg_catalog.regexp_replace(pg_catalog.substr($1, 2), '..?', E'\\&\x1f', 'g')),
        E'\x1f'),
      E'\x1f'));
END $$;

DO $$
DECLARE
  service text;
BEGIN
  FOREACH service IN ARRAY ARRAY['auth', 'songlist', 'payments', 'scheduler'] LOOP
    -- <service>_owner owns schema and tables and runs migrations; <service>_rw is what the service connects as.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = service || '_owner') THEN
      EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOINHERIT', service || '_owner');
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = service || '_rw') THEN
      EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOINHERIT', service || '_rw');
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I, %I', current_database(), service || '_owner', service || '_rw');
    EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', service, service || '_owner');
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', service, service || '_rw');
    EXECUTE format('ALTER ROLE %I SET search_path = %I, extensions', service || '_owner', service);
    EXECUTE format('ALTER ROLE %I SET search_path = %I, extensions', service || '_rw', service);
    -- A service that opens connections without end must not keep the others from the database.
    EXECUTE format('ALTER ROLE %I CONNECTION LIMIT 90', service || '_rw');
    EXECUTE format('ALTER ROLE %I CONNECTION LIMIT 40', service || '_owner');
    EXECUTE format('ALTER ROLE %I SET lock_timeout = %L', service || '_rw', '1s');
    EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', service || '_rw', '5s');
    EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = %L', service || '_rw', '10s');
    -- Requests are short: with one huge tenant the planner would start parallel workers or compile for every page of every tenant.
    EXECUTE format('ALTER ROLE %I SET max_parallel_workers_per_gather = 0', service || '_rw');
    EXECUTE format('ALTER ROLE %I SET jit = off', service || '_rw');
    -- Solid-state storage: a page is read in order from its index, not sorted.
    EXECUTE format('ALTER ROLE %I SET random_page_cost = 1.1', service || '_rw');
    EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I',
                   service || '_owner', service || '_rw');
    EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I REVOKE ALL ON FUNCTIONS FROM PUBLIC', service || '_owner');
  END LOOP;
END $$;
