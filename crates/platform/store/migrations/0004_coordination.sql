-- What replicas agree on.
CREATE TABLE locks (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    fence BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE TABLE idempotency (
    caller TEXT NOT NULL,
    route TEXT NOT NULL,
    request_key TEXT NOT NULL,
    digest TEXT NOT NULL,
    claimed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    status BIGINT,
    body TEXT,
    PRIMARY KEY (caller, route, request_key)
);
CREATE INDEX idempotency_by_expiry ON idempotency (expires_at);
-- Its row is locked while a transaction takes numbers, so that changes become visible in the order of their numbers.
CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('changes', 0);
CREATE TABLE changes (
    id BIGINT NOT NULL PRIMARY KEY,
    time BIGINT NOT NULL,
    topic TEXT NOT NULL,
    team TEXT,
    body TEXT NOT NULL
);
CREATE INDEX changes_by_time ON changes (time);
