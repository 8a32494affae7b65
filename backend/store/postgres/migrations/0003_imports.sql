-- expand
-- Imports of rows, and the rows that each has brought in, so that they can be taken
-- back. Times are milliseconds since 1970, UTC; NULL is no time.
CREATE TABLE cordon_import (
  name    text COLLATE "C" PRIMARY KEY,
  tbl     text NOT NULL,
  source  text NOT NULL,
  began   int8 NOT NULL,
  ended   int8,
  read    int8 NOT NULL,
  digest  text NOT NULL,
  written int8 NOT NULL
);

CREATE TABLE cordon_import_row (
  batch   text COLLATE "C" NOT NULL,
  number  int8 NOT NULL,
  id      text NOT NULL,
  version int8 NOT NULL,
  before  text,
  PRIMARY KEY (batch, number)
);
