-- expand
-- Arithmetic that never fails, as the query language has it: what is too large is
-- infinite, what is too small is 0, and what has no value is null. An error would
-- depend on rows that the caller may not read. The parts that are computed before
-- they are asked about are bounded first, since the server may compute them of
-- constants while it plans. The powers of two are 2^970, 2^1023, 2^-512, 2^538 and
-- 2^-537.
CREATE FUNCTION cordon_add(x float8, y float8) RETURNS float8 IMMUTABLE PARALLEL SAFE STRICT LANGUAGE sql AS '
  SELECT CASE
    WHEN sign(x) = sign(y) AND least(abs(x), abs(y)) >= 9.9792015476736e291::float8
      AND greatest(abs(x), 9.9792015476736e291::float8) * 0.5::float8
        + greatest(abs(y), 9.9792015476736e291::float8) * 0.5::float8 >= 8.98846567431158e307::float8
      THEN sign(x) * float8 ''Infinity''
    ELSE nullif(x + y, float8 ''NaN'') END ';
CREATE FUNCTION cordon_sub(x float8, y float8) RETURNS float8 IMMUTABLE PARALLEL SAFE STRICT LANGUAGE sql AS '
  SELECT cordon_add(x, -y) ';
CREATE FUNCTION cordon_mul(x float8, y float8) RETURNS float8 IMMUTABLE PARALLEL SAFE STRICT LANGUAGE sql AS '
  SELECT CASE
    WHEN x = 0 OR y = 0 THEN nullif(x * y, float8 ''NaN'')
    WHEN greatest(abs(x), 1) * 7.458340731200207e-155::float8
      * (greatest(abs(y), 1) * 7.458340731200207e-155::float8) >= 1
      THEN sign(x) * sign(y) * float8 ''Infinity''
    WHEN least(abs(x), 1) * 8.997827589086393e161::float8
      <= 2.2227587494850775e-162::float8 / greatest(least(abs(y), 1), 5e-324::float8)
      THEN 0
    ELSE x * y END ';
CREATE FUNCTION cordon_div(x float8, y float8) RETURNS float8 IMMUTABLE PARALLEL SAFE STRICT LANGUAGE sql AS '
  SELECT CASE
    WHEN y = 0 OR abs(x) = float8 ''Infinity'' AND abs(y) = float8 ''Infinity'' THEN NULL
    WHEN abs(y) < 1 AND greatest(7.888609052210118e-31::float8,
        least(abs(x), 1.7976931348623157e308::float8 * least(least(abs(y), 1) * 1.5::float8, 1)))
      * 0.5::float8 / greatest(least(abs(y), 1), 5e-324::float8) >= 8.98846567431158e307::float8
      THEN sign(x) * sign(y) * float8 ''Infinity''
    WHEN least(abs(x), 1) * 8.997827589086393e161::float8 <= 2.2227587494850775e-162::float8 * greatest(abs(y), 1)
      THEN 0
    ELSE x / y END ';
CREATE FUNCTION cordon_modulo(x float8, y float8) RETURNS float8 IMMUTABLE PARALLEL SAFE STRICT LANGUAGE sql AS '
  SELECT cordon_sub(x, cordon_mul(trunc(cordon_div(x, y)), y)) ';
CREATE FUNCTION cordon_part(s text, start float8, len float8) RETURNS text
  IMMUTABLE PARALLEL SAFE STRICT LANGUAGE sql AS '
  SELECT substr(s, greatest(least(trunc(start), 2147483646), 0)::int4 + 1,
    least(greatest(least(coalesce(cordon_add(trunc(start), greatest(trunc(len), 0)), 0), 2147483646)
      - greatest(trunc(start), 0), 0), 2147483646)::int4) ';

-- Texts that a query makes are at most 1 MiB long: a longer one is null.
CREATE FUNCTION cordon_concat(a text, b text) RETURNS text IMMUTABLE PARALLEL SAFE STRICT LANGUAGE sql AS '
  SELECT CASE WHEN octet_length(a) + octet_length(b) <= 1048576 THEN a || b END ';
CREATE FUNCTION cordon_replace(s text, old text, new text) RETURNS text IMMUTABLE PARALLEL SAFE STRICT LANGUAGE sql AS '
  SELECT CASE
    WHEN old = '''' THEN s
    WHEN octet_length(s)::int8 + (octet_length(s) - octet_length(replace(s, old, ''''))) / octet_length(old)
      * (octet_length(new)::int8 - octet_length(old)) <= 1048576 THEN replace(s, old, new) END ';
