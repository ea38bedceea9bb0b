-- A session is a row: who is signed in, on which device, until when.

CREATE TABLE "sessions" (
  "id" TEXT PRIMARY KEY,
  "sha256" TEXT NOT NULL,
  "user" TEXT NOT NULL REFERENCES "users"("id"),
  "device" TEXT NOT NULL,
  "created_at" TEXT NOT NULL,
  "last_seen" TEXT NOT NULL,
  "expires_at" TEXT NOT NULL,
  "ended_at" TEXT,
  "ended_how" TEXT
) STRICT;
CREATE UNIQUE INDEX "idx_sessions_sha256" ON "sessions" ("sha256");
CREATE INDEX "idx_sessions_user" ON "sessions" ("user");
