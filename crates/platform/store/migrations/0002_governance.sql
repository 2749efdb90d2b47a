-- Who answers for what, and what they were allowed to leave as it is.
CREATE TABLE exceptions (
    id TEXT NOT NULL PRIMARY KEY,
    selector TEXT NOT NULL,
    reason TEXT NOT NULL,
    owner TEXT NOT NULL,
    team TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    requested_at BIGINT NOT NULL,
    decided_by TEXT,
    decided_at BIGINT,
    note TEXT
);
CREATE INDEX exceptions_by_state ON exceptions (state, expires_at);
CREATE INDEX exceptions_by_team ON exceptions (team, id);

CREATE TABLE teams (
    name TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    contact TEXT NOT NULL,
    source TEXT NOT NULL
);
CREATE TABLE services (
    name TEXT NOT NULL PRIMARY KEY,
    team TEXT NOT NULL,
    title TEXT NOT NULL,
    system TEXT NOT NULL,
    lifecycle TEXT NOT NULL,
    selector TEXT NOT NULL,
    source TEXT NOT NULL
);
CREATE INDEX services_by_team ON services (team, name);
CREATE TABLE entities (
    kind TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (kind, namespace, name)
);

CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);

CREATE TABLE audit (
    id TEXT NOT NULL PRIMARY KEY,
    time BIGINT NOT NULL,
    actor TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    team TEXT,
    allowed BIGINT NOT NULL,
    details TEXT NOT NULL
);
CREATE INDEX audit_by_time ON audit (time, id);
