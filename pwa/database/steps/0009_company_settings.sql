-- The company's facts on three levels; `scope` is `company`, `area:…` or `building:…`.

CREATE TABLE "company_settings" (
  "scope" TEXT,
  "name" TEXT,
  "value" TEXT NOT NULL,
  PRIMARY KEY ("scope", "name")
) STRICT;
