-- expand
-- Times are milliseconds since 1970, UTC; NULL is no time.
CREATE TABLE cordon_secret (
  name  text COLLATE "C" PRIMARY KEY,
  value bytea NOT NULL
);

CREATE TABLE cordon_once (
  kind    text COLLATE "C" NOT NULL,
  key     text COLLATE "C" NOT NULL,
  sealed  bytea,
  expires int8,
  PRIMARY KEY (kind, key)
);
CREATE INDEX cordon_once_expires ON cordon_once (expires);

CREATE TABLE cordon_user (
  id       text COLLATE "C" PRIMARY KEY,
  provider text NOT NULL,
  issuer   text NOT NULL,
  subject  text NOT NULL,
  name     text NOT NULL,
  mail     text NOT NULL,
  created  int8,
  seen     int8
);

CREATE TABLE cordon_session (
  id       text COLLATE "C" PRIMARY KEY,
  user_id  text COLLATE "C" NOT NULL,
  provider text NOT NULL,
  name     text NOT NULL,
  agent    text NOT NULL,
  created  int8,
  renewed  int8,
  expires  int8,
  revoked  int8,
  sealed   bytea,
  version  int8 NOT NULL
);
CREATE INDEX cordon_session_user ON cordon_session (user_id, created DESC, id);
CREATE INDEX cordon_session_expires ON cordon_session (expires);

CREATE TABLE cordon_revocation (
  session text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  before  int8,
  at      int8,
  expires int8,
  PRIMARY KEY (session, user_id)
);
CREATE INDEX cordon_revocation_at ON cordon_revocation (at);

CREATE TABLE cordon_signing_key (
  id      text COLLATE "C" PRIMARY KEY,
  sealed  bytea NOT NULL,
  created int8,
  active  int8,
  retired int8
);
