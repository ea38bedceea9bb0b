-- The last health report of each phone.

CREATE TABLE "devices" (
  "id" TEXT PRIMARY KEY,
  "user" TEXT NOT NULL,
  "seen_at" TEXT NOT NULL,
  "unsent" INTEGER NOT NULL,
  "oldest_unsent_at" TEXT NOT NULL,
  "persisted" INTEGER NOT NULL,
  "installed" INTEGER NOT NULL,
  "version" TEXT NOT NULL,
  "health" TEXT NOT NULL,
  "lost_at" TEXT NOT NULL,
  "lost_unsent" INTEGER NOT NULL
) STRICT;
