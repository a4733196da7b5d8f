-- What is demanded of objects at admission, and what was answered.

CREATE TABLE assignments (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    search TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);
CREATE INDEX assignments_scope ON assignments (scope, id);
CREATE INDEX assignments_updated ON assignments (updated, id);

CREATE TABLE decisions (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    verdict TEXT COLLATE "C" NOT NULL,
    operation TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    namespace TEXT COLLATE "C",
    name TEXT COLLATE "C" NOT NULL,
    controls TEXT COLLATE "C",
    actor TEXT COLLATE "C" NOT NULL,
    cluster TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    time BIGINT NOT NULL,
    search TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);
CREATE INDEX decisions_time ON decisions (time, id);
CREATE INDEX decisions_scope ON decisions (scope, time);

CREATE TABLE gaps (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    requests BIGINT,
    cluster TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    begun BIGINT NOT NULL,
    ended BIGINT NOT NULL,
    search TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);
CREATE INDEX gaps_ended ON gaps (ended, id);
CREATE INDEX gaps_scope ON gaps (scope, ended);
