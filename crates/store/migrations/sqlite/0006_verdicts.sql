-- What an object satisfies, by control id: a finding stands only for what was ever out of order.

CREATE TABLE verdicts (
    subject TEXT PRIMARY KEY,
    scope TEXT NOT NULL,
    namespace TEXT,
    resource_key TEXT NOT NULL,
    weight BIGINT NOT NULL,
    healthy TEXT NOT NULL,
    not_applicable TEXT NOT NULL
);
CREATE INDEX verdicts_scope ON verdicts (scope);

-- Sums of the above. The namespace is empty for objects of the cluster.
CREATE TABLE satisfied (
    scope TEXT NOT NULL,
    namespace TEXT NOT NULL,
    control TEXT NOT NULL,
    resources BIGINT NOT NULL,
    weight BIGINT NOT NULL,
    PRIMARY KEY (scope, namespace, control)
);
