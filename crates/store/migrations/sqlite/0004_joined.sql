-- By which service account an agent joined: one that comes again under its name takes its place.

ALTER TABLE agents ADD COLUMN service_account TEXT;
CREATE INDEX agents_seen ON agents (scope, revoked, last);
