-- The log's last number when a person ceased to be an ambassador; -1 for who has never been one. What
-- they pulled up to there did not show them what colleagues had decided.

ALTER TABLE users ADD COLUMN ambassador_until INTEGER NOT NULL DEFAULT -1;
