-- expand
-- The columns of every table of rows, in order. A dynamic schema adds to them.
CREATE TABLE cordon_columns (
  tbl  text COLLATE "C" NOT NULL,
  pos  int NOT NULL,
  name text COLLATE "C" NOT NULL,
  type text NOT NULL,
  PRIMARY KEY (tbl, name)
);

-- One row for each table: its latest updatedAt. Every transaction that writes
-- to the table holds the row, so commits of a table come one after another.
CREATE TABLE cordon_clock (
  name text COLLATE "C" PRIMARY KEY,
  ms   int8 NOT NULL
) WITH (fillfactor = 20);

-- What the query language has and PostgreSQL lacks.
CREATE FUNCTION cordon_mod(x float8, y float8) RETURNS float8 IMMUTABLE PARALLEL SAFE LANGUAGE sql
  AS 'SELECT x - trunc(x / nullif(y, 0)) * y';
CREATE FUNCTION cordon_round(x float8) RETURNS float8 IMMUTABLE PARALLEL SAFE LANGUAGE sql
  AS 'SELECT floor(abs(x) + 0.5) * sign(x)';
CREATE FUNCTION cordon_endswith(s text, part text) RETURNS bool IMMUTABLE PARALLEL SAFE LANGUAGE sql
  AS 'SELECT right(s, char_length(part)) = part COLLATE "C"';
CREATE FUNCTION cordon_substring(s text, start float8) RETURNS text IMMUTABLE PARALLEL SAFE STRICT LANGUAGE sql
  AS 'SELECT substr(s, greatest(least(trunc(start), 2147483646), 0)::int4 + 1)';
CREATE FUNCTION cordon_substring(s text, start float8, len float8) RETURNS text IMMUTABLE PARALLEL SAFE STRICT LANGUAGE sql
  AS 'SELECT substr(s, greatest(least(trunc(start), 2147483646), 0)::int4 + 1,
      least(greatest(least(trunc(start) + greatest(trunc(len), 0), 2147483646) - greatest(trunc(start), 0), 0), 2147483646)::int4)';
