-- Times are milliseconds since the Unix epoch. Where a time, an end or a value may be missing, NULL says never or none.

-- Which of the migrations this file has been through, so that one that was edited afterwards is noticed.
CREATE TABLE migrations (
    number     INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL,
    checksum   INTEGER NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT;

-- One row, made with the store and never changed.
CREATE TABLE identity (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    realm    BLOB NOT NULL
) STRICT;

-- The highest number is the present epoch.
CREATE TABLE epochs (
    number INTEGER PRIMARY KEY,
    random BLOB NOT NULL
) STRICT;

-- A removed client keeps its row, so that its name is never given again; what was secret about it is gone.
CREATE TABLE clients (
    key        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL UNIQUE,
    handle     BLOB    UNIQUE,
    secret     BLOB,
    enabled    INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    cutoff     INTEGER NOT NULL CHECK (cutoff BETWEEN 0 AND 4294967295),
    version    INTEGER NOT NULL,
    settings   TEXT, -- JSON
    removed_at INTEGER
) STRICT;

-- A removed user keeps its row, so that its subject is never given again; the login name is free.
CREATE TABLE users (
    key        INTEGER PRIMARY KEY AUTOINCREMENT,
    subject    TEXT    NOT NULL UNIQUE,
    username   TEXT    UNIQUE,
    credential TEXT,
    status     TEXT    NOT NULL CHECK (status IN ('active', 'locked', 'disabled')),
    cutoff     INTEGER NOT NULL CHECK (cutoff BETWEEN 0 AND 4294967295),
    version    INTEGER NOT NULL,
    removed_at INTEGER
) STRICT;

CREATE TABLE grants (
    id                  BLOB    NOT NULL PRIMARY KEY,
    secret              BLOB    NOT NULL,
    version             INTEGER NOT NULL,
    root                BLOB,
    client              INTEGER NOT NULL REFERENCES clients (key),
    user                INTEGER NOT NULL REFERENCES users (key),
    scope               TEXT    NOT NULL,
    resources           TEXT, -- separated by spaces
    binding             BLOB, -- 'd' or 'c', and the thumbprint of a DPoP key or certificate
    generation          INTEGER NOT NULL,
    kid                 INTEGER NOT NULL,
    epoch               INTEGER NOT NULL,
    rotated_at          INTEGER NOT NULL,
    access_lifetime     INTEGER NOT NULL, -- seconds, 0 for never
    retry_challenge     BLOB,
    has_used_challenge  INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    authenticated_at    INTEGER NOT NULL,
    idle_expires_at     INTEGER,
    absolute_expires_at INTEGER,
    revoked_at          INTEGER,
    client_cutoff       INTEGER NOT NULL,
    user_cutoff         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The grants of a user, and those of one client among them. No write of a grant changes these columns, so a refresh
-- writes nothing here. A client's grants are ended by its cutoff, which needs no index.
CREATE INDEX grants_by_user_and_client ON grants (user, client);

-- Access tokens that were revoked alone, kept until they would have ended anyway.
CREATE TABLE listed_access_tokens (
    id      BLOB NOT NULL PRIMARY KEY,
    ends_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE announced_keys (
    kid         INTEGER PRIMARY KEY,
    check_value BLOB NOT NULL
) STRICT;

CREATE TABLE signing_keys (
    position     INTEGER PRIMARY KEY AUTOINCREMENT,
    key_id       TEXT    NOT NULL UNIQUE,
    algorithm    TEXT    NOT NULL,
    sealed_under INTEGER NOT NULL,
    sealed       BLOB    NOT NULL,
    created_at   INTEGER NOT NULL
) STRICT;
