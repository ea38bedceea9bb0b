-- Which tenancy a reference of an import file is; the locked room of protected tenancies and who
-- read it; what was imported, without the file.

CREATE TABLE "tenancy_refs" (
  "ref" TEXT PRIMARY KEY,
  "tenancy" TEXT NOT NULL,
  "cells" TEXT NOT NULL,
  "customer" TEXT NOT NULL
) STRICT;
CREATE INDEX "idx_tenancy_refs_customer" ON "tenancy_refs" ("customer");

CREATE TABLE "protected_room" (
  "id" TEXT PRIMARY KEY,
  "ref" TEXT NOT NULL,
  "cells" TEXT NOT NULL,
  "added_at" TEXT NOT NULL,
  "added_by" TEXT NOT NULL,
  "cleared_at" TEXT NOT NULL,
  "cleared_by" TEXT NOT NULL,
  "cleared_reason" TEXT NOT NULL
) STRICT;
CREATE INDEX "idx_protected_room_ref" ON "protected_room" ("ref");

CREATE TABLE "protected_reads" (
  "id" INTEGER PRIMARY KEY,
  "user" TEXT NOT NULL,
  "at" TEXT NOT NULL,
  "what" TEXT NOT NULL
);

CREATE TABLE "imports" (
  "id" INTEGER PRIMARY KEY,
  "at" TEXT NOT NULL,
  "by" TEXT NOT NULL,
  "filename" TEXT NOT NULL,
  "sha256" TEXT NOT NULL,
  "report" TEXT NOT NULL
);
