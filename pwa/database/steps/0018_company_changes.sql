-- Who changed which fact from what to what; only ever added to.

CREATE TABLE "company_changes" (
  "scope" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "before" TEXT NOT NULL,
  "after" TEXT NOT NULL,
  "by" TEXT NOT NULL,
  "at" TEXT NOT NULL
) STRICT;
CREATE INDEX "idx_company_changes_scope" ON "company_changes" ("scope");
