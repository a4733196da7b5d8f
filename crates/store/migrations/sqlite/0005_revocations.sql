-- Agents that a person revoked: who may not join again. The agent's own row is forgotten some day, this is not.

CREATE TABLE revocations (
    agent TEXT PRIMARY KEY,
    scope TEXT NOT NULL,
    role TEXT NOT NULL,
    service_account TEXT,
    name TEXT NOT NULL,
    reach TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX revocations_scope ON revocations (scope, at);
