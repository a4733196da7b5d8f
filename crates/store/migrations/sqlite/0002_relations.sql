-- What stands between nouns, and the hub's own state.

-- The containers of a node, as its sensor last said.
CREATE TABLE running (
    agent TEXT NOT NULL,
    container TEXT NOT NULL,
    scope TEXT NOT NULL,
    cluster TEXT NOT NULL,
    node TEXT NOT NULL,
    image TEXT,
    namespace TEXT,
    payload TEXT NOT NULL,
    PRIMARY KEY (agent, container)
);
CREATE INDEX running_image ON running (image, namespace);

-- All that is known of the contents of an image or node: matching again needs no pull.
CREATE TABLE inventories (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    scope TEXT NOT NULL,
    -- 'image:<id>', 'node:<name>' or 'directory:<path>'
    target TEXT NOT NULL,
    image TEXT,
    digest TEXT NOT NULL,
    at BIGINT NOT NULL,
    payload TEXT NOT NULL
);
CREATE UNIQUE INDEX inventories_target ON inventories (scope, target);

CREATE TABLE holdings (
    package TEXT NOT NULL,
    inventory TEXT NOT NULL REFERENCES inventories (id) ON DELETE CASCADE,
    scope TEXT NOT NULL,
    image TEXT,
    PRIMARY KEY (package, inventory)
);
CREATE INDEX holdings_inventory ON holdings (inventory);

CREATE TABLE scores (
    scope TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    payload TEXT NOT NULL
);

CREATE TABLE sessions (
    digest TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created BIGINT NOT NULL,
    last_used BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
);

CREATE TABLE requests (
    principal TEXT NOT NULL,
    name TEXT NOT NULL,
    body_digest TEXT NOT NULL,
    at BIGINT NOT NULL,
    -- NULL while the first request runs.
    status BIGINT,
    body BLOB,
    PRIMARY KEY (principal, name)
);
CREATE INDEX requests_at ON requests (at);

CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('changes', 0), ('audit', 0);

CREATE TABLE changes (
    sequence BIGINT PRIMARY KEY,
    noun TEXT NOT NULL,
    id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    scope TEXT NOT NULL,
    namespace TEXT,
    image TEXT,
    at BIGINT NOT NULL
);
