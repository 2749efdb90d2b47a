-- Work that outlives the process that began it. A job may be claimed from `due_at` on: one that waits at its time, one that
-- runs when the lease of whoever holds it has run out.
CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    job_key TEXT,
    keeps_key BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    holder TEXT NOT NULL,
    fence BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    max_attempts BIGINT NOT NULL,
    last_error TEXT,
    result TEXT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX jobs_by_turn ON jobs (due_at) WHERE ended_at IS NULL;
CREATE INDEX jobs_by_end ON jobs (ended_at) WHERE ended_at IS NOT NULL;
CREATE UNIQUE INDEX jobs_by_key ON jobs (kind, job_key) WHERE ended_at IS NULL OR keeps_key = 1;
CREATE TABLE job_steps (
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    step_key TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    begun_at BIGINT NOT NULL,
    done_at BIGINT,
    result TEXT,
    PRIMARY KEY (job_id, name)
);
