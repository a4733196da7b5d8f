-- What an object satisfies, by control id: a finding stands only for what was ever out of order.

CREATE TABLE verdicts (
    subject TEXT COLLATE "C" PRIMARY KEY,
    scope TEXT COLLATE "C" NOT NULL,
    namespace TEXT COLLATE "C",
    resource_key TEXT COLLATE "C" NOT NULL,
    weight BIGINT NOT NULL,
    healthy TEXT NOT NULL,
    not_applicable TEXT NOT NULL
);
CREATE INDEX verdicts_scope ON verdicts (scope);

-- Sums of the above. The namespace is empty for objects of the cluster.
CREATE TABLE satisfied (
    scope TEXT COLLATE "C" NOT NULL,
    namespace TEXT COLLATE "C" NOT NULL,
    control TEXT COLLATE "C" NOT NULL,
    resources BIGINT NOT NULL,
    weight BIGINT NOT NULL,
    PRIMARY KEY (scope, namespace, control)
);
