-- expand
-- Times are milliseconds since 1970, UTC; NULL is no time.
CREATE TABLE cordon_secret (
  name  TEXT PRIMARY KEY NOT NULL,
  value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE cordon_once (
  kind    TEXT NOT NULL,
  key     TEXT NOT NULL,
  sealed  BLOB,
  expires INTEGER,
  PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX cordon_once_expires ON cordon_once (expires);

CREATE TABLE cordon_user (
  id       TEXT PRIMARY KEY NOT NULL,
  provider TEXT NOT NULL,
  issuer   TEXT NOT NULL,
  subject  TEXT NOT NULL,
  name     TEXT NOT NULL,
  mail     TEXT NOT NULL,
  created  INTEGER,
  seen     INTEGER
) WITHOUT ROWID;

CREATE TABLE cordon_session (
  id       TEXT PRIMARY KEY NOT NULL,
  user_id  TEXT NOT NULL,
  provider TEXT NOT NULL,
  name     TEXT NOT NULL,
  agent    TEXT NOT NULL,
  created  INTEGER,
  renewed  INTEGER,
  expires  INTEGER,
  revoked  INTEGER,
  sealed   BLOB,
  version  INTEGER NOT NULL
);
CREATE INDEX cordon_session_user ON cordon_session (user_id, created DESC, id);
CREATE INDEX cordon_session_expires ON cordon_session (expires);

CREATE TABLE cordon_revocation (
  session TEXT NOT NULL,
  user_id TEXT NOT NULL,
  before  INTEGER,
  at      INTEGER,
  expires INTEGER,
  PRIMARY KEY (session, user_id)
) WITHOUT ROWID;
CREATE INDEX cordon_revocation_at ON cordon_revocation (at);

CREATE TABLE cordon_signing_key (
  id      TEXT PRIMARY KEY NOT NULL,
  sealed  BLOB NOT NULL,
  created INTEGER,
  active  INTEGER,
  retired INTEGER
) WITHOUT ROWID;
