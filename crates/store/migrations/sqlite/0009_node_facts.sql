-- What sensors told of nodes last, so that it can be judged anew. What controls say of a node belongs to its name in its
-- cluster, whether a sensor told of it or not.

CREATE TABLE node_facts (
    scope TEXT NOT NULL,
    node TEXT NOT NULL,
    revision BIGINT NOT NULL,
    facts TEXT NOT NULL,
    PRIMARY KEY (scope, node)
);

CREATE INDEX assets_nodes ON assets (scope, name) WHERE kind = 'Node';

UPDATE findings SET subject = 'node:' || a.scope || a.uid FROM assets a
    WHERE a.origin = 'node' AND findings.subject = 'asset:' || a.id;
UPDATE verdicts SET subject = 'node:' || a.scope || a.uid FROM assets a
    WHERE a.origin = 'node' AND verdicts.subject = 'asset:' || a.id;
