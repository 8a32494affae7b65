-- expand
-- The columns of every table of rows, in order. A dynamic schema adds to them.
CREATE TABLE cordon_columns (
  tbl  TEXT NOT NULL,
  pos  INTEGER NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  PRIMARY KEY (tbl, name)
) WITHOUT ROWID;

-- The latest updatedAt that a table ever gave out, kept when rows are removed.
CREATE TABLE cordon_clock (
  name TEXT PRIMARY KEY NOT NULL,
  ms   INTEGER NOT NULL
) WITHOUT ROWID;
