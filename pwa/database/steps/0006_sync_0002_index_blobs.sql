-- Which operation names which blob.

CREATE TABLE blob_index (
  operation TEXT PRIMARY KEY,
  visit TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  struck INTEGER NOT NULL
);
CREATE INDEX blob_index_visit ON blob_index (visit);
CREATE INDEX blob_index_sha256 ON blob_index (sha256, struck);
CREATE INDEX blob_index_struck ON blob_index (sha256) WHERE struck = 1;
