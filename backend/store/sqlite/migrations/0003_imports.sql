-- expand
-- Imports of rows, and the rows that each has brought in, so that they can be taken
-- back. Times are milliseconds since 1970, UTC; NULL is no time.
CREATE TABLE cordon_import (
  name    TEXT PRIMARY KEY NOT NULL,
  tbl     TEXT NOT NULL,
  source  TEXT NOT NULL,
  began   INTEGER NOT NULL,
  ended   INTEGER,
  read    INTEGER NOT NULL,
  digest  TEXT NOT NULL,
  written INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE cordon_import_row (
  batch   TEXT NOT NULL,
  number  INTEGER NOT NULL,
  id      TEXT NOT NULL,
  version INTEGER NOT NULL,
  before  TEXT,
  PRIMARY KEY (batch, number)
) WITHOUT ROWID;
