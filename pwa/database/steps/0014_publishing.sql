-- The guide: what people did to its texts, and every version that was published.

CREATE TABLE "guide_events" (
  "id" INTEGER PRIMARY KEY,
  "language" TEXT NOT NULL,
  "key" TEXT NOT NULL,
  "at" TEXT NOT NULL,
  "by" TEXT NOT NULL,
  "reviewer" TEXT NOT NULL,
  "action" TEXT NOT NULL,
  "text" TEXT NOT NULL,
  "state" TEXT NOT NULL,
  "of" TEXT NOT NULL,
  "base" TEXT NOT NULL,
  "comment" TEXT NOT NULL,
  "old_text" TEXT NOT NULL,
  "old_state" TEXT NOT NULL
) STRICT;
CREATE INDEX "idx_guide_events_language_key" ON "guide_events" ("language", "key");

CREATE TABLE "guide_publications" (
  "number" INTEGER PRIMARY KEY,
  "version" TEXT NOT NULL,
  "at" TEXT NOT NULL,
  "by" TEXT NOT NULL,
  "last_event" INTEGER NOT NULL
) STRICT;

CREATE TABLE "guide_packs" (
  "version" TEXT,
  "language" TEXT,
  "sha256" TEXT NOT NULL,
  PRIMARY KEY ("version", "language")
) STRICT;

CREATE TABLE "guide_contents" (
  "sha256" TEXT PRIMARY KEY,
  "content" BLOB NOT NULL
) STRICT;

CREATE TABLE "guide_wordings" (
  "consent" TEXT,
  "version" INTEGER,
  "sha256" TEXT NOT NULL,
  PRIMARY KEY ("consent", "version")
) STRICT;
