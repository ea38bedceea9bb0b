-- The Swedish texts that translations were compared with, by their fingerprint.

CREATE TABLE "guide_originals" (
  "sha256" TEXT PRIMARY KEY,
  "text" TEXT NOT NULL
) STRICT;
