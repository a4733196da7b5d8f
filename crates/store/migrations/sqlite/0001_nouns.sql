-- One table per noun: indexed columns and payload. A column is taken from the payload by the noun's field table,
-- or (last ones) is known to the store alone.

CREATE TABLE scopes (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    scope TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    created BIGINT NOT NULL,
    search TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE UNIQUE INDEX scopes_scope ON scopes (scope);

CREATE TABLE clusters (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    uid TEXT NOT NULL,
    kind TEXT NOT NULL,
    server_version TEXT,
    scope TEXT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    search TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE UNIQUE INDEX clusters_uid ON clusters (uid);
CREATE INDEX clusters_name ON clusters (name, id);

CREATE TABLE agents (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    cluster TEXT NOT NULL,
    agent_version TEXT NOT NULL,
    revoked BIGINT NOT NULL,
    connected BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    certificate BIGINT NOT NULL,
    scope TEXT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    cluster_uid TEXT,
    search TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE INDEX agents_name ON agents (name, id);
CREATE INDEX agents_scope ON agents (scope);

CREATE TABLE assets (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    api_version TEXT NOT NULL,
    namespace TEXT,
    name TEXT NOT NULL,
    owner TEXT,
    cluster TEXT NOT NULL,
    uid TEXT NOT NULL,
    image_names TEXT,
    image_digests TEXT,
    labels TEXT,
    scope TEXT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    origin TEXT,
    search TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE INDEX assets_uid ON assets (scope, uid);
CREATE INDEX assets_name ON assets (name, id);

CREATE TABLE images (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT,
    config_digest TEXT,
    index_digest TEXT,
    platform TEXT,
    distro TEXT,
    distro_version TEXT,
    package_count BIGINT,
    critical BIGINT,
    high BIGINT,
    medium BIGINT,
    low BIGINT,
    fixable BIGINT,
    running BIGINT NOT NULL DEFAULT 0,
    scanned BIGINT,
    scope TEXT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    search TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE INDEX images_scope ON images (scope, name);
CREATE INDEX images_name ON images (name, id);
CREATE INDEX images_digest ON images (digest);

CREATE TABLE packages (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    ecosystem TEXT NOT NULL,
    name TEXT NOT NULL,
    package_version TEXT NOT NULL,
    identity TEXT,
    search TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE UNIQUE INDEX packages_identity ON packages (identity);
CREATE INDEX packages_name ON packages (name, id);

CREATE TABLE findings (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    rule TEXT NOT NULL,
    title TEXT NOT NULL,
    severity BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    scope TEXT NOT NULL,
    cluster TEXT,
    namespace TEXT,
    resource TEXT NOT NULL,
    resource_key TEXT NOT NULL,
    package TEXT,
    package_version TEXT,
    purl TEXT,
    aliases TEXT,
    fix_status TEXT,
    fixable BIGINT NOT NULL,
    kev BIGINT NOT NULL,
    epss BIGINT,
    frameworks TEXT,
    exemption TEXT,
    category TEXT,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    work TEXT,
    subject TEXT,
    image TEXT,
    search TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE INDEX findings_subject ON findings (subject);
CREATE INDEX findings_work ON findings (scope, work, state);
CREATE INDEX findings_severity ON findings (severity, id);
CREATE INDEX findings_image ON findings (image);
CREATE INDEX findings_rule ON findings (rule);
CREATE INDEX findings_exemption ON findings (exemption) WHERE exemption IS NOT NULL;

CREATE TABLE recommendations (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    rule TEXT NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    severity BIGINT NOT NULL,
    status TEXT NOT NULL,
    scope TEXT NOT NULL,
    owner TEXT,
    due BIGINT,
    affected BIGINT NOT NULL,
    healthy BIGINT NOT NULL,
    undecided BIGINT NOT NULL,
    exempt BIGINT NOT NULL,
    score_group TEXT,
    frameworks TEXT,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    search TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE INDEX recommendations_scope ON recommendations (scope, rule);
CREATE INDEX recommendations_severity ON recommendations (severity, id);

CREATE TABLE score_deltas (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    scope TEXT NOT NULL,
    at BIGINT NOT NULL,
    score_from BIGINT,
    score_to BIGINT,
    cause TEXT NOT NULL,
    search TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE INDEX score_deltas_at ON score_deltas (at, id);

CREATE TABLE alerts (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    detection TEXT NOT NULL,
    title TEXT NOT NULL,
    severity BIGINT NOT NULL,
    state TEXT NOT NULL,
    scope TEXT NOT NULL,
    cluster TEXT NOT NULL,
    node TEXT,
    namespace TEXT,
    workload TEXT,
    pod TEXT,
    container TEXT,
    image TEXT,
    digest TEXT,
    tactic TEXT,
    technique TEXT,
    source TEXT NOT NULL,
    actor TEXT,
    process TEXT,
    exe TEXT,
    count BIGINT NOT NULL,
    lost BIGINT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    correlation TEXT,
    is_open BIGINT,
    search TEXT NOT NULL,
    payload TEXT NOT NULL
);
-- Firings of one correlation join the open alert; there is one at most.
CREATE UNIQUE INDEX alerts_open ON alerts (scope, correlation) WHERE is_open = 1;
CREATE INDEX alerts_correlation ON alerts (correlation);
CREATE INDEX alerts_last ON alerts (last, id);
CREATE INDEX alerts_scope ON alerts (scope, last);

CREATE TABLE events (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    alert TEXT NOT NULL,
    agent TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    position BIGINT NOT NULL,
    at BIGINT NOT NULL,
    detection TEXT NOT NULL,
    severity BIGINT NOT NULL,
    scope TEXT NOT NULL,
    cluster TEXT NOT NULL,
    node TEXT,
    namespace TEXT,
    workload TEXT,
    pod TEXT,
    exe TEXT,
    search TEXT NOT NULL,
    payload TEXT NOT NULL
);
-- A batch that comes twice meets its twin.
CREATE UNIQUE INDEX events_source ON events (agent, sequence, position);
CREATE INDEX events_alert ON events (alert, at);
CREATE INDEX events_at ON events (at, id);

CREATE TABLE exemptions (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    rule TEXT NOT NULL,
    namespace TEXT,
    resource TEXT,
    package TEXT,
    category TEXT NOT NULL,
    state TEXT NOT NULL,
    owner TEXT NOT NULL,
    source TEXT NOT NULL,
    scope TEXT NOT NULL,
    matches BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    created BIGINT NOT NULL,
    search TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE INDEX exemptions_expires ON exemptions (expires, id);

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    disabled BIGINT NOT NULL,
    created BIGINT NOT NULL,
    last BIGINT,
    scope TEXT,
    folded_name TEXT,
    password_hash TEXT,
    search TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE UNIQUE INDEX users_name ON users (folded_name);

CREATE TABLE roles (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    role TEXT NOT NULL,
    scope TEXT NOT NULL,
    principal_id TEXT,
    principal_name TEXT,
    created BIGINT NOT NULL,
    principal TEXT,
    search TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE UNIQUE INDEX roles_principal ON roles (principal, role, scope);

CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    scope TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    last BIGINT,
    secret_digest TEXT,
    search TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE UNIQUE INDEX tokens_digest ON tokens (secret_digest);

CREATE TABLE enrolments (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    scope TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    revoked BIGINT NOT NULL,
    accepted BIGINT NOT NULL,
    cluster_names TEXT,
    refused BIGINT NOT NULL,
    secret_digest TEXT,
    trusted BIGINT,
    search TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE UNIQUE INDEX enrolments_digest ON enrolments (secret_digest);

CREATE TABLE audit (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    position BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    scope TEXT,
    search TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE UNIQUE INDEX audit_position ON audit (position);
