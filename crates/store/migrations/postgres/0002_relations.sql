-- COLLATE "C": the order and ranges of SQLite and of Rust are by bytes.
-- What stands between nouns, and the hub's own state.

-- The containers of a node, as its sensor last said.
CREATE TABLE running (
    agent TEXT COLLATE "C" NOT NULL,
    container TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    cluster TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    image TEXT COLLATE "C",
    namespace TEXT COLLATE "C",
    payload TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (agent, container)
);
CREATE INDEX running_image ON running (image, namespace);

-- All that is known of the contents of an image or node: matching again needs no pull.
CREATE TABLE inventories (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    -- 'image:<id>', 'node:<name>' or 'directory:<path>'
    target TEXT COLLATE "C" NOT NULL,
    image TEXT COLLATE "C",
    digest TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX inventories_target ON inventories (scope, target);

CREATE TABLE holdings (
    package TEXT COLLATE "C" NOT NULL,
    inventory TEXT COLLATE "C" NOT NULL REFERENCES inventories (id) ON DELETE CASCADE,
    scope TEXT COLLATE "C" NOT NULL,
    image TEXT COLLATE "C",
    PRIMARY KEY (package, inventory)
);
CREATE INDEX holdings_inventory ON holdings (inventory);

CREATE TABLE scores (
    scope TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);

CREATE TABLE sessions (
    digest TEXT COLLATE "C" PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created BIGINT NOT NULL,
    last_used BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE settings (
    name TEXT COLLATE "C" PRIMARY KEY,
    value BYTEA NOT NULL
);

CREATE TABLE requests (
    principal TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    body_digest TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    -- NULL while the first request runs.
    status BIGINT,
    body BYTEA,
    PRIMARY KEY (principal, name)
);
CREATE INDEX requests_at ON requests (at);

CREATE TABLE counters (
    name TEXT COLLATE "C" PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('changes', 0), ('audit', 0);

CREATE TABLE changes (
    sequence BIGINT PRIMARY KEY,
    noun TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    namespace TEXT COLLATE "C",
    image TEXT COLLATE "C",
    at BIGINT NOT NULL
);
