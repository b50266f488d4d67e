-- Tokens that another system issued, by the SHA-256 digest of their strings. A row is written once, never changed, and goes with
-- its grant.
CREATE TABLE imported_refresh_tokens (
    digest BLOB NOT NULL PRIMARY KEY,
    grant  BLOB NOT NULL UNIQUE REFERENCES grants (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE imported_access_tokens (
    digest    BLOB    NOT NULL PRIMARY KEY,
    grant     BLOB    NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    scope     TEXT    NOT NULL,
    issued_at INTEGER NOT NULL,
    ends_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX imported_access_tokens_by_grant ON imported_access_tokens (grant);
