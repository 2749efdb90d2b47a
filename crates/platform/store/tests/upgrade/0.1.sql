-- A database of version 0.1 (schema 6), as that version made it, with rows in every table. It is never changed.
CREATE TABLE accounts (
    id TEXT NOT NULL PRIMARY KEY,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    display_name TEXT NOT NULL,
    email TEXT,
    user_groups TEXT NOT NULL,
    disabled BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    last_login_at BIGINT NOT NULL,
    UNIQUE (issuer, subject)
);
CREATE TABLE agents (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    fingerprint TEXT NOT NULL UNIQUE,
    team TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_seen_at BIGINT,
    revoked_at BIGINT
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
CREATE TABLE changes (
    id BIGINT NOT NULL PRIMARY KEY,
    time BIGINT NOT NULL,
    topic TEXT NOT NULL,
    team TEXT,
    body TEXT NOT NULL
);
CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
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
CREATE TABLE entities (
    kind TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (kind, namespace, name)
);
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
CREATE TABLE locks (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    fence BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE TABLE login_states (
    id TEXT NOT NULL PRIMARY KEY,
    data TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE TABLE migrations (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL, applied_at BIGINT NOT NULL);
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
CREATE TABLE role_bindings (
    principal_kind TEXT NOT NULL,
    principal TEXT NOT NULL,
    role TEXT NOT NULL,
    team TEXT NOT NULL,
    granted_by TEXT NOT NULL,
    granted_at BIGINT NOT NULL,
    PRIMARY KEY (principal_kind, principal, role, team)
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
CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);
CREATE TABLE teams (
    name TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    contact TEXT NOT NULL,
    source TEXT NOT NULL
);
CREATE TABLE decision_policies (
    decision_id TEXT NOT NULL REFERENCES decisions (id) ON DELETE CASCADE,
    policy TEXT NOT NULL,
    time BIGINT NOT NULL,
    PRIMARY KEY (decision_id, policy)
);
CREATE TABLE policy_versions (
    policy_id TEXT NOT NULL REFERENCES policies (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    content TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    PRIMARY KEY (policy_id, digest)
);
CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    user_agent TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE TABLE tokens (
    id TEXT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    team TEXT,
    account_id TEXT REFERENCES accounts (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at BIGINT
);
INSERT INTO accounts VALUES('a1','https://login.example.com','ada','Ada','ada@example.com','["dev"]',0,1790000000000000,1790000000000001);
INSERT INTO decisions VALUES('d1',1790000000000002,'admission','CREATE',0,'apps','v1','Deployment','shop','web','u2','','ada','["dev"]',0,'denied','["old"]',1,'[{"policy": "images", "policy_digest": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "rule": "tag", "verdict": "fail", "severity": "high", "message": "m", "path": "spec", "disposition": "counted", "fingerprint": "abababababababababababababababab"}]',1,1,0,0,0,'0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef','0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef','red','shop',42);
INSERT INTO policies VALUES('p1','file:policies','ClusterPolicy','','images','0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef','policies/images.yaml:1:1','rejected','no such field',1790000000000000,1790000000000001);
INSERT INTO resources VALUES('r1','cluster:kubernetes','apps','v1','Deployment','shop','it''s ours','u1','0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef','0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef','0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef','red','shop',1,2,3,4,5,1790000000000000,1790000000000005);
INSERT INTO agents VALUES('g1','node-1','0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',NULL,1790000000000000,1791000000000000,1790000000000001,NULL);
INSERT INTO audit VALUES('n1',1790000000000001,'a1','Ada','exception.approve','e1','red',1,'{"note":"fine"}');
INSERT INTO changes VALUES(1,1790000000000001,'findings','red','{"opened":1}');
INSERT INTO changes VALUES(2,1790000000000002,'findings','red','{"opened":1}');
INSERT INTO changes VALUES(3,1790000000000003,'policies',NULL,'{"opened":1}');
INSERT INTO counters VALUES('changes',3);
INSERT INTO decision_policies VALUES('d1','images',1790000000000002);
INSERT INTO entities VALUES('Component','default','shop','{"kind":"Component"}','api');
INSERT INTO exceptions VALUES('e1','{"policies":["images"],"rules":[],"kinds":[],"namespaces":["shop"],"names":[]}','until the move','ada','red',1791000000000000,'approved','ada',1790000000000000,'bob',1790000000000001,'fine');
INSERT INTO findings VALUES('f1','r1','cluster:kubernetes','apps','Deployment','shop','it''s ours','scan','abababababababababababababababab','images','ClusterPolicy','0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef','tag','fail',3,'the tag `latest` moves','spec.template','name a version','[{"framework":"CIS","id":"5.1"}]','counted','red','shop',1790000000000000,1790000000000005,1790000000000006);
INSERT INTO findings VALUES('f2','r1','cluster:kubernetes','apps','Deployment','shop','it''s ours','scan','cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','images','ClusterPolicy','0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef','registry','error',0,'','',NULL,'[]','waived','red','shop',1790000000000000,1790000000000005,NULL);
INSERT INTO idempotency VALUES('ada','POST /api/v1/exceptions','k','d',1790000000000000,1791000000000000,201,'{}');
INSERT INTO locks VALUES('leader','one',9,1790000000000000);
INSERT INTO login_states VALUES('4ba69735ca53765ed6a709edb56c6ea236b7193a3b29a6b390c346f0f4340e4e','{"nonce":"n"}',1791000000000000);
INSERT INTO migrations VALUES(1,'inventory','bcc48b95481277d172b59cdd126f40e2489837d489a159e28d35272acb442203',1796079056364938);
INSERT INTO migrations VALUES(2,'governance','5710ec623d7080abc03ddbef8708198e3c784ef18883b1d93a77a9174aee045f',1796079056364938);
INSERT INTO migrations VALUES(3,'identity','d1dc85337aafdbc202075ff6764794a50ab14c8f4cd2fa9193824576b8ee58cd',1796079056364938);
INSERT INTO migrations VALUES(4,'coordination','2def963a7919b996f65d09198de2aba78691a48c0ab2c2826fbf7f5ac87c978d',1796079056364938);
INSERT INTO migrations VALUES(5,'fixes','f19e8339407e10286ddc4cb5218d5bc378d9fe14582fc375c14de6465e86e399',1796079056364938);
INSERT INTO migrations VALUES(6,'tokens','065713f5f5bccde8f01625bca3bd82ee98743b6815a2eaf7d0f968590a131d68',1796079056364938);
INSERT INTO policy_versions VALUES('p1','0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef','kind: ClusterPolicy
',1790000000000000);
INSERT INTO role_bindings VALUES('account','a1','admin','','system',1790000000000000);
INSERT INTO role_bindings VALUES('group','dev','developer','red','a1',1790000000000000);
INSERT INTO services VALUES('shop','red','Shop','','production','{"namespaces":["shop"]}','api');
INSERT INTO sessions VALUES('s1','d7e83e28a04b537e64424546b14caf9b67bad2f28dabce68116e0d372319fa00','a1','browser',1790000000000000,1790000000000001,1791000000000000,NULL);
INSERT INTO settings VALUES('controller.generate','{"known":["a"]}',7,1790000000000003,'system');
INSERT INTO settings VALUES('controller.cleanup','[1]',1,1790000000000004,'system');
INSERT INTO settings VALUES('banner','"hello"',2,1790000000000005,'ada');
INSERT INTO teams VALUES('red','Red','red@example.com','api');
INSERT INTO tokens VALUES('t1','3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0','ci','viewer','red','a1',1790000000000000,1791000000000000,1790000000000001,NULL);
CREATE INDEX resources_by_source ON resources (source, last_seen);
CREATE INDEX resources_by_namespace ON resources (namespace, id);
CREATE INDEX resources_by_team ON resources (team, id);
CREATE INDEX findings_open ON findings (severity, id) WHERE resolved_at IS NULL;
CREATE INDEX findings_resolved ON findings (resolved_at) WHERE resolved_at IS NOT NULL;
CREATE INDEX findings_by_policy ON findings (policy, id);
CREATE INDEX findings_by_namespace ON findings (namespace, id);
CREATE INDEX findings_by_team ON findings (team, id);
CREATE INDEX policies_by_name ON policies (name, id);
CREATE INDEX policies_by_source ON policies (source);
CREATE INDEX policy_versions_by_digest ON policy_versions (digest);
CREATE INDEX decisions_by_time ON decisions (time, id);
CREATE INDEX decisions_denied ON decisions (time, id) WHERE allowed = 0;
CREATE INDEX decisions_by_namespace ON decisions (namespace, time, id);
CREATE INDEX decisions_by_team ON decisions (team, time, id);
CREATE INDEX decision_policies_by_policy ON decision_policies (policy, time, decision_id);
CREATE INDEX exceptions_by_state ON exceptions (state, expires_at);
CREATE INDEX exceptions_by_team ON exceptions (team, id);
CREATE INDEX services_by_team ON services (team, name);
CREATE INDEX audit_by_time ON audit (time, id);
CREATE INDEX sessions_by_account ON sessions (account_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX tokens_by_account ON tokens (account_id);
CREATE INDEX login_states_by_expiry ON login_states (expires_at);
CREATE INDEX idempotency_by_expiry ON idempotency (expires_at);
CREATE INDEX changes_by_time ON changes (time);
CREATE INDEX findings_by_fix ON findings (policy, rule, team, service, resource_id, severity) WHERE resolved_at IS NULL;
