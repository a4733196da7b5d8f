-- COLLATE "C": the order and ranges of SQLite and of Rust are by bytes.
-- One table per noun: indexed columns and payload. A column is taken from the payload by the noun's field table,
-- or (last ones) is known to the store alone.

CREATE TABLE scopes (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    search TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX scopes_scope ON scopes (scope);

CREATE TABLE clusters (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    uid TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    server_version TEXT COLLATE "C",
    scope TEXT COLLATE "C" NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    search TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX clusters_uid ON clusters (uid);
CREATE INDEX clusters_name ON clusters (name, id);

CREATE TABLE agents (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    cluster TEXT COLLATE "C" NOT NULL,
    agent_version TEXT COLLATE "C" NOT NULL,
    revoked BIGINT NOT NULL,
    connected BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    certificate BIGINT NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    cluster_uid TEXT COLLATE "C",
    search TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);
CREATE INDEX agents_name ON agents (name, id);
CREATE INDEX agents_scope ON agents (scope);

CREATE TABLE assets (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    api_version TEXT COLLATE "C" NOT NULL,
    namespace TEXT COLLATE "C",
    name TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C",
    cluster TEXT COLLATE "C" NOT NULL,
    uid TEXT COLLATE "C" NOT NULL,
    image_names TEXT COLLATE "C",
    image_digests TEXT COLLATE "C",
    labels TEXT COLLATE "C",
    scope TEXT COLLATE "C" NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    origin TEXT COLLATE "C",
    search TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);
CREATE INDEX assets_uid ON assets (scope, uid);
CREATE INDEX assets_name ON assets (name, id);

CREATE TABLE images (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C",
    config_digest TEXT COLLATE "C",
    index_digest TEXT COLLATE "C",
    platform TEXT COLLATE "C",
    distro TEXT COLLATE "C",
    distro_version TEXT COLLATE "C",
    package_count BIGINT,
    critical BIGINT,
    high BIGINT,
    medium BIGINT,
    low BIGINT,
    fixable BIGINT,
    running BIGINT NOT NULL DEFAULT 0,
    scanned BIGINT,
    scope TEXT COLLATE "C" NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    search TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);
CREATE INDEX images_scope ON images (scope, name);
CREATE INDEX images_name ON images (name, id);
CREATE INDEX images_digest ON images (digest);

CREATE TABLE packages (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    ecosystem TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    package_version TEXT COLLATE "C" NOT NULL,
    identity TEXT COLLATE "C",
    search TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX packages_identity ON packages (identity);
CREATE INDEX packages_name ON packages (name, id);

CREATE TABLE findings (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    rule TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C" NOT NULL,
    severity BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C",
    scope TEXT COLLATE "C" NOT NULL,
    cluster TEXT COLLATE "C",
    namespace TEXT COLLATE "C",
    resource TEXT COLLATE "C" NOT NULL,
    resource_key TEXT COLLATE "C" NOT NULL,
    package TEXT COLLATE "C",
    package_version TEXT COLLATE "C",
    purl TEXT COLLATE "C",
    aliases TEXT COLLATE "C",
    fix_status TEXT COLLATE "C",
    fixable BIGINT NOT NULL,
    kev BIGINT NOT NULL,
    epss BIGINT,
    frameworks TEXT COLLATE "C",
    exemption TEXT COLLATE "C",
    category TEXT COLLATE "C",
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    work TEXT COLLATE "C",
    subject TEXT COLLATE "C",
    image TEXT COLLATE "C",
    search TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);
CREATE INDEX findings_subject ON findings (subject);
CREATE INDEX findings_work ON findings (scope, work, state);
CREATE INDEX findings_severity ON findings (severity, id);
CREATE INDEX findings_image ON findings (image);
CREATE INDEX findings_rule ON findings (rule);
CREATE INDEX findings_exemption ON findings (exemption) WHERE exemption IS NOT NULL;

CREATE TABLE recommendations (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    rule TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C" NOT NULL,
    severity BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C",
    due BIGINT,
    affected BIGINT NOT NULL,
    healthy BIGINT NOT NULL,
    undecided BIGINT NOT NULL,
    exempt BIGINT NOT NULL,
    score_group TEXT COLLATE "C",
    frameworks TEXT COLLATE "C",
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    search TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);
CREATE INDEX recommendations_scope ON recommendations (scope, rule);
CREATE INDEX recommendations_severity ON recommendations (severity, id);

CREATE TABLE score_deltas (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    score_from BIGINT,
    score_to BIGINT,
    cause TEXT COLLATE "C" NOT NULL,
    search TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);
CREATE INDEX score_deltas_at ON score_deltas (at, id);

CREATE TABLE alerts (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    detection TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C" NOT NULL,
    severity BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    cluster TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C",
    namespace TEXT COLLATE "C",
    workload TEXT COLLATE "C",
    pod TEXT COLLATE "C",
    container TEXT COLLATE "C",
    image TEXT COLLATE "C",
    digest TEXT COLLATE "C",
    tactic TEXT COLLATE "C",
    technique TEXT COLLATE "C",
    source TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C",
    process TEXT COLLATE "C",
    exe TEXT COLLATE "C",
    count BIGINT NOT NULL,
    lost BIGINT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    correlation TEXT COLLATE "C",
    is_open BIGINT,
    search TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);
-- Firings of one correlation join the open alert; there is one at most.
CREATE UNIQUE INDEX alerts_open ON alerts (scope, correlation) WHERE is_open = 1;
CREATE INDEX alerts_correlation ON alerts (correlation);
CREATE INDEX alerts_last ON alerts (last, id);
CREATE INDEX alerts_scope ON alerts (scope, last);

CREATE TABLE events (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    alert TEXT COLLATE "C" NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL,
    position BIGINT NOT NULL,
    at BIGINT NOT NULL,
    detection TEXT COLLATE "C" NOT NULL,
    severity BIGINT NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    cluster TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C",
    namespace TEXT COLLATE "C",
    workload TEXT COLLATE "C",
    pod TEXT COLLATE "C",
    exe TEXT COLLATE "C",
    search TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);
-- A batch that comes twice meets its twin.
CREATE UNIQUE INDEX events_source ON events (agent, sequence, position);
CREATE INDEX events_alert ON events (alert, at);
CREATE INDEX events_at ON events (at, id);

CREATE TABLE exemptions (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    rule TEXT COLLATE "C" NOT NULL,
    namespace TEXT COLLATE "C",
    resource TEXT COLLATE "C",
    package TEXT COLLATE "C",
    category TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    matches BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    created BIGINT NOT NULL,
    search TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);
CREATE INDEX exemptions_expires ON exemptions (expires, id);

CREATE TABLE users (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    disabled BIGINT NOT NULL,
    created BIGINT NOT NULL,
    last BIGINT,
    scope TEXT COLLATE "C",
    folded_name TEXT COLLATE "C",
    password_hash TEXT COLLATE "C",
    search TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX users_name ON users (folded_name);

CREATE TABLE roles (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    principal_id TEXT COLLATE "C",
    principal_name TEXT COLLATE "C",
    created BIGINT NOT NULL,
    principal TEXT COLLATE "C",
    search TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX roles_principal ON roles (principal, role, scope);

CREATE TABLE tokens (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    last BIGINT,
    secret_digest TEXT COLLATE "C",
    search TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX tokens_digest ON tokens (secret_digest);

CREATE TABLE enrolments (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    revoked BIGINT NOT NULL,
    accepted BIGINT NOT NULL,
    cluster_names TEXT COLLATE "C",
    refused BIGINT NOT NULL,
    secret_digest TEXT COLLATE "C",
    trusted BIGINT,
    search TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX enrolments_digest ON enrolments (secret_digest);

CREATE TABLE audit (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    position BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C",
    search TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX audit_position ON audit (position);
