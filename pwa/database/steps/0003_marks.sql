-- Single values by name, such as `backup`: the log's number that a backup has passed.

CREATE TABLE "marks" (
  "name" TEXT PRIMARY KEY,
  "value" TEXT NOT NULL
) STRICT;
