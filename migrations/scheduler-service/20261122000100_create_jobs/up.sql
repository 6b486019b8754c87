-- When recurring work runs; what it does is the owning service's matter. Every time is the database's clock.
CREATE TABLE jobs (
    name text CONSTRAINT jobs_pkey PRIMARY KEY,
    service text NOT NULL,
    every_secs integer NOT NULL CONSTRAINT jobs_every_positive CHECK (every_secs > 0),
    enabled boolean NOT NULL DEFAULT true,
    next_run_at timestamptz NOT NULL DEFAULT now(),
    last_run_at timestamptz,
    last_result text NOT NULL DEFAULT '',
    version bigint NOT NULL DEFAULT 1
);
CREATE INDEX jobs_due ON jobs (next_run_at) WHERE enabled;

CREATE TABLE runs (
    id uuid CONSTRAINT runs_pkey PRIMARY KEY,
    job text NOT NULL CONSTRAINT runs_job_fkey REFERENCES jobs (name) ON DELETE CASCADE,
    -- Of the leader that started it.
    fence bigint NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    ok boolean,
    result text NOT NULL DEFAULT ''
);
CREATE INDEX runs_newest ON runs (job, started_at DESC);

-- One leader: whoever holds the row until it expires. The fence grows with every change of leader, and a leader whose fence
-- is old can claim nothing.
CREATE TABLE lease (
    id smallint CONSTRAINT lease_pkey PRIMARY KEY CONSTRAINT lease_one_row CHECK (id = 1),
    holder uuid,
    fence bigint NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO lease (id) VALUES (1);
