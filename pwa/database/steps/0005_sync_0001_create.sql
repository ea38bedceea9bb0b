-- The protocol core: the log, what is held, the records, who may see what, and the rows that lists
-- read. Rows of `…_index` tables are derived from the records after all steps, never by one.

CREATE TABLE log (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  sha256 TEXT NOT NULL,
  digest TEXT NOT NULL,
  bytes BLOB,
  kind TEXT NOT NULL,
  type TEXT NOT NULL,
  subject TEXT NOT NULL,
  by TEXT NOT NULL,
  device TEXT NOT NULL,
  device_seq INTEGER NOT NULL,
  at TEXT NOT NULL,
  base INTEGER NOT NULL,
  received_at TEXT NOT NULL
);
CREATE INDEX log_subject ON log (subject, seq);

CREATE TABLE held (
  id TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes BLOB NOT NULL,
  problem TEXT NOT NULL,
  kind TEXT NOT NULL,
  visit TEXT NOT NULL,
  device TEXT NOT NULL,
  by TEXT NOT NULL,
  sender TEXT NOT NULL,
  received_at TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'open',
  resolved_how TEXT NOT NULL DEFAULT '',
  resolved_by TEXT NOT NULL DEFAULT '',
  resolved_at TEXT NOT NULL DEFAULT '',
  comment TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (id, sha256)
);
CREATE INDEX held_visit ON held (visit);
CREATE INDEX held_by ON held (by);

CREATE TABLE records (
  type TEXT NOT NULL,
  id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (type, id)
);
CREATE INDEX records_seq ON records (type, seq);

CREATE TABLE visibility (
  viewer TEXT NOT NULL,
  id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  visible INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (viewer, id)
);

CREATE TABLE visit_index (
  id TEXT PRIMARY KEY,
  tenancy TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  area TEXT NOT NULL,
  street TEXT NOT NULL,
  apartment TEXT NOT NULL,
  city TEXT NOT NULL,
  date TEXT NOT NULL,
  time TEXT NOT NULL,
  visitor TEXT NOT NULL,
  visitor2 TEXT NOT NULL,
  language TEXT NOT NULL,
  move_in TEXT NOT NULL,
  seq INTEGER NOT NULL,
  closed_at TEXT NOT NULL,
  conflicts INTEGER NOT NULL,
  late INTEGER NOT NULL,
  follow_ups_open INTEGER NOT NULL,
  protected INTEGER NOT NULL
);
CREATE INDEX visit_index_state ON visit_index (protected, state, area, move_in);
CREATE INDEX visit_index_date ON visit_index (protected, date);
CREATE INDEX visit_index_tenancy ON visit_index (tenancy);

CREATE TABLE follow_up_index (
  id TEXT PRIMARY KEY,
  visit TEXT NOT NULL,
  queue TEXT NOT NULL,
  urgency TEXT NOT NULL,
  done INTEGER NOT NULL,
  area TEXT NOT NULL,
  at TEXT NOT NULL,
  seq INTEGER NOT NULL
);
CREATE INDEX follow_up_index_queue ON follow_up_index (queue, done);
CREATE INDEX follow_up_index_visit ON follow_up_index (visit);

CREATE TABLE consent_index (
  visit TEXT NOT NULL,
  purpose TEXT NOT NULL,
  decision TEXT NOT NULL,
  expires TEXT NOT NULL,
  language TEXT NOT NULL,
  text_state TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (visit, purpose)
);

CREATE TABLE tallies (
  day TEXT NOT NULL,
  area TEXT NOT NULL,
  topic TEXT NOT NULL,
  value TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (day, area, topic, value)
) WITHOUT ROWID;
