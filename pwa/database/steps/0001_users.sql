-- People who sign in; `languages` is a JSON list.

CREATE TABLE "users" (
  "id" TEXT PRIMARY KEY,
  "name" TEXT NOT NULL,
  "display_name" TEXT NOT NULL,
  "password" TEXT NOT NULL,
  "role" TEXT NOT NULL,
  "queue" TEXT NOT NULL,
  "languages" TEXT NOT NULL,
  "interface_language" TEXT NOT NULL,
  "may_see_protected" INTEGER NOT NULL,
  "active" INTEGER NOT NULL,
  "created_at" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "idx_users_name" ON "users" ("name");
