-- Drawn signatures, in the transaction of the push that names them.

CREATE TABLE signatures (
  sha256 TEXT PRIMARY KEY,
  bytes BLOB NOT NULL
) STRICT;
