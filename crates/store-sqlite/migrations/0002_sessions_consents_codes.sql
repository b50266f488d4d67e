-- Login sessions. One that has ended keeps its row, so that it never begins again.
CREATE TABLE sessions (
    id               BLOB    NOT NULL PRIMARY KEY,
    secret_digest    BLOB    NOT NULL,
    user             INTEGER NOT NULL REFERENCES users (key),
    created_at       INTEGER NOT NULL,
    authenticated_at INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_user ON sessions (user);

-- What users allowed clients. What was allowed to a client goes when the client does, which is too rare for an index.
CREATE TABLE consents (
    user      INTEGER NOT NULL REFERENCES users (key),
    client    INTEGER NOT NULL REFERENCES clients (key),
    scope     TEXT    NOT NULL,
    resources TEXT, -- separated by spaces
    given_at  INTEGER NOT NULL,
    PRIMARY KEY (user, client)
) STRICT, WITHOUT ROWID;

ALTER TABLE users ADD COLUMN profile TEXT NOT NULL DEFAULT '{}'; -- JSON

-- A session that is in no table any more has ended, and the grant with it.
ALTER TABLE grants ADD COLUMN session BLOB;
ALTER TABLE grants ADD COLUMN approved_from TEXT; -- the address, and after a space the name of the browser
ALTER TABLE grants ADD COLUMN code TEXT;          -- JSON; NULL when the code's end has come

-- Settings that cannot be read are left to whoever reads them to report.
UPDATE clients
SET settings = json_set(
    settings,
    '$.name', NULL,
    '$.client_uri', NULL,
    '$.policy_uri', NULL,
    '$.tos_uri', NULL,
    '$.post_logout_redirect_uris', json('[]'),
    '$.allowed_origins', json('[]'),
    '$.require_pkce', json('true'),
    '$.consent', 'remember',
    '$.id_token_algorithm', 'rs256',
    '$.id_token_on_refresh', json('false'),
    '$.outlives_session', 'always',
    '$.policy.code_retry_seconds', 0
)
WHERE json_valid(settings);
