-- Users' own policies, and the last that each cluster said of them.

CREATE TABLE policy_sets (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    action TEXT NOT NULL,
    text_version BIGINT NOT NULL,
    size BIGINT NOT NULL,
    scope TEXT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    text TEXT NOT NULL DEFAULT '',
    quoted BIGINT NOT NULL DEFAULT 0,
    search TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE UNIQUE INDEX policy_sets_name ON policy_sets (scope, name);
CREATE INDEX policy_sets_updated ON policy_sets (updated, id);

CREATE TABLE trials (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    policy_set TEXT NOT NULL REFERENCES policy_sets (id) ON DELETE CASCADE,
    text_version BIGINT NOT NULL,
    objects_judged BIGINT NOT NULL,
    objects_refused BIGINT NOT NULL,
    objects_warned BIGINT NOT NULL,
    objects_undecided BIGINT NOT NULL,
    requests_judged BIGINT NOT NULL,
    requests_refused BIGINT NOT NULL,
    requests_warned BIGINT NOT NULL,
    requests_undecided BIGINT NOT NULL,
    cluster TEXT NOT NULL,
    scope TEXT NOT NULL,
    time BIGINT NOT NULL,
    search TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE UNIQUE INDEX trials_place ON trials (policy_set, scope);
CREATE INDEX trials_time ON trials (time, id);
