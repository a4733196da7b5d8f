-- What is demanded of objects at admission, and what was answered.

CREATE TABLE assignments (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    target TEXT NOT NULL,
    action TEXT NOT NULL,
    scope TEXT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    search TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE INDEX assignments_scope ON assignments (scope, id);
CREATE INDEX assignments_updated ON assignments (updated, id);

CREATE TABLE decisions (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    verdict TEXT NOT NULL,
    operation TEXT NOT NULL,
    kind TEXT NOT NULL,
    namespace TEXT,
    name TEXT NOT NULL,
    controls TEXT,
    actor TEXT NOT NULL,
    cluster TEXT NOT NULL,
    scope TEXT NOT NULL,
    time BIGINT NOT NULL,
    search TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE INDEX decisions_time ON decisions (time, id);
CREATE INDEX decisions_scope ON decisions (scope, time);

CREATE TABLE gaps (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    reason TEXT NOT NULL,
    requests BIGINT,
    cluster TEXT NOT NULL,
    scope TEXT NOT NULL,
    begun BIGINT NOT NULL,
    ended BIGINT NOT NULL,
    search TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE INDEX gaps_ended ON gaps (ended, id);
CREATE INDEX gaps_scope ON gaps (scope, ended);
