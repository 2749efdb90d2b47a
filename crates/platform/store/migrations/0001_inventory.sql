-- What was judged, by which policies, with what result.
CREATE TABLE resources (
    id TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    api_group TEXT NOT NULL,
    version TEXT NOT NULL,
    kind TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    uid TEXT NOT NULL,
    labels_digest TEXT NOT NULL,
    input_digest TEXT NOT NULL,
    ruleset_digest TEXT NOT NULL,
    team TEXT NOT NULL,
    service TEXT NOT NULL,
    passed BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    warned BIGINT NOT NULL,
    skipped BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL
);
CREATE INDEX resources_by_source ON resources (source, last_seen);
CREATE INDEX resources_by_namespace ON resources (namespace, id);
CREATE INDEX resources_by_team ON resources (team, id);

-- Without a reference to resources: resolved findings outlive their resource until retention takes them.
CREATE TABLE findings (
    id TEXT NOT NULL PRIMARY KEY,
    resource_id TEXT NOT NULL,
    source TEXT NOT NULL,
    api_group TEXT NOT NULL,
    kind TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    checkpoint TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    policy TEXT NOT NULL,
    policy_kind TEXT NOT NULL,
    policy_digest TEXT NOT NULL,
    rule TEXT NOT NULL,
    verdict TEXT NOT NULL,
    severity BIGINT NOT NULL,
    message TEXT NOT NULL,
    path TEXT NOT NULL,
    remediation TEXT,
    controls TEXT NOT NULL,
    disposition TEXT NOT NULL,
    team TEXT NOT NULL,
    service TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    resolved_at BIGINT,
    UNIQUE (resource_id, checkpoint, fingerprint)
);
CREATE INDEX findings_open ON findings (severity, id) WHERE resolved_at IS NULL;
CREATE INDEX findings_resolved ON findings (resolved_at) WHERE resolved_at IS NOT NULL;
CREATE INDEX findings_by_policy ON findings (policy, id);
CREATE INDEX findings_by_namespace ON findings (namespace, id);
CREATE INDEX findings_by_team ON findings (team, id);

CREATE TABLE policies (
    id TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    place TEXT NOT NULL,
    status TEXT NOT NULL,
    problem TEXT,
    first_seen BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX policies_by_name ON policies (name, id);
CREATE INDEX policies_by_source ON policies (source);

CREATE TABLE policy_versions (
    policy_id TEXT NOT NULL REFERENCES policies (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    content TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    PRIMARY KEY (policy_id, digest)
);
CREATE INDEX policy_versions_by_digest ON policy_versions (digest);

CREATE TABLE decisions (
    id TEXT NOT NULL PRIMARY KEY,
    time BIGINT NOT NULL,
    checkpoint TEXT NOT NULL,
    operation TEXT NOT NULL,
    dry_run BIGINT NOT NULL,
    api_group TEXT NOT NULL,
    version TEXT NOT NULL,
    kind TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    uid TEXT NOT NULL,
    sub_resource TEXT NOT NULL,
    username TEXT NOT NULL,
    user_groups TEXT NOT NULL,
    allowed BIGINT NOT NULL,
    message TEXT NOT NULL,
    warnings TEXT NOT NULL,
    patched BIGINT NOT NULL,
    findings TEXT NOT NULL,
    passed BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    warned BIGINT NOT NULL,
    skipped BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    input_digest TEXT NOT NULL,
    ruleset_digest TEXT NOT NULL,
    team TEXT NOT NULL,
    service TEXT NOT NULL,
    duration_us BIGINT NOT NULL
);
CREATE INDEX decisions_by_time ON decisions (time, id);
CREATE INDEX decisions_denied ON decisions (time, id) WHERE allowed = 0;
CREATE INDEX decisions_by_namespace ON decisions (namespace, time, id);
CREATE INDEX decisions_by_team ON decisions (team, time, id);

-- Which policies a decision has findings of, so that the decisions of a policy are found without reading all.
CREATE TABLE decision_policies (
    decision_id TEXT NOT NULL REFERENCES decisions (id) ON DELETE CASCADE,
    policy TEXT NOT NULL,
    time BIGINT NOT NULL,
    PRIMARY KEY (decision_id, policy)
);
CREATE INDEX decision_policies_by_policy ON decision_policies (policy, time, decision_id);
