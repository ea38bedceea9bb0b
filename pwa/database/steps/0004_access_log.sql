-- Who opened which visit at the desk, and when.

CREATE TABLE "access_log" (
  "id" INTEGER PRIMARY KEY,
  "user" TEXT NOT NULL,
  "visit" TEXT NOT NULL,
  "at" TEXT NOT NULL
) STRICT;
CREATE INDEX "idx_access_log_visit" ON "access_log" ("visit");
