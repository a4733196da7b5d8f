-- Agents that a person revoked: who may not join again. The agent's own row is forgotten some day, this is not.

CREATE TABLE revocations (
    agent TEXT COLLATE "C" PRIMARY KEY,
    scope TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    service_account TEXT COLLATE "C",
    name TEXT COLLATE "C" NOT NULL,
    reach TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX revocations_scope ON revocations (scope, at);
