-- The guide read aloud; the bytes once under their hash.

CREATE TABLE "recordings" (
  "id" TEXT NOT NULL,
  "language" TEXT NOT NULL,
  "key" TEXT NOT NULL,
  "sha256" TEXT NOT NULL,
  "text_sha256" TEXT NOT NULL,
  "seconds" INTEGER NOT NULL,
  "by" TEXT NOT NULL,
  "at" TEXT NOT NULL,
  "ended_by" TEXT,
  "ended_at" TEXT
) STRICT;
CREATE INDEX "idx_recordings_language_key" ON "recordings" ("language", "key");

CREATE TABLE "recording_bytes" (
  "sha256" TEXT PRIMARY KEY,
  "type" TEXT NOT NULL,
  "octets" BLOB NOT NULL
) STRICT;
