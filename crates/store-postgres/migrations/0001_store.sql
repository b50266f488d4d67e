-- Times are milliseconds since the Unix epoch. Where a time, an end or a value may be missing, NULL says never or none.
-- What is 16 bytes long is a uuid: no length stands before it. A column of 32 bits holds an unsigned number by its bits, which
-- are compared for equality alone.

-- One row, made with the store and never changed.
CREATE TABLE identity (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    realm    uuid NOT NULL
);

-- The highest number is the present epoch.
CREATE TABLE epochs (
    number smallint PRIMARY KEY,
    random uuid NOT NULL
);

-- A removed client keeps its row, so that its name is never given again; what was secret about it is gone.
CREATE TABLE clients (
    key        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         text COLLATE "C" NOT NULL UNIQUE,
    handle     uuid UNIQUE,
    secret     uuid,
    enabled    boolean NOT NULL,
    cutoff     integer NOT NULL,
    version    bigint NOT NULL,
    settings   text, -- JSON
    removed_at bigint
);

-- A removed user keeps its row, so that its subject is never given again; the login name is free.
CREATE TABLE users (
    key        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject    text COLLATE "C" NOT NULL UNIQUE,
    username   text COLLATE "C" UNIQUE,
    credential text,
    status     text NOT NULL CHECK (status IN ('active', 'locked', 'disabled')),
    profile    text NOT NULL, -- JSON
    cutoff     integer NOT NULL,
    version    bigint NOT NULL,
    removed_at bigint
);

-- The only unique column is the id, and every other table is asked by it: the table can be partitioned by it. No key refers
-- to client or user: rows of those are never removed, and checking would write the row of a client with each of its grants.
-- Columns stand in the order that wastes no bytes between them. A refresh has room for its new row on the same page.
CREATE TABLE grants (
    version             bigint NOT NULL,
    rotated_at          bigint NOT NULL,
    created_at          bigint NOT NULL,
    authenticated_at    bigint NOT NULL,
    idle_expires_at     bigint,
    absolute_expires_at bigint,
    revoked_at          bigint,
    client_key          integer NOT NULL,
    user_key            integer NOT NULL,
    generation          integer NOT NULL,
    access_lifetime     integer NOT NULL, -- seconds, 0 for never
    client_cutoff       integer NOT NULL,
    user_cutoff         integer NOT NULL,
    kid                 smallint NOT NULL,
    epoch               smallint NOT NULL,
    has_used_challenge  boolean NOT NULL,
    id                  uuid NOT NULL PRIMARY KEY,
    secret              uuid NOT NULL,
    root                uuid,
    session             uuid,
    retry_challenge     uuid,
    scope               text NOT NULL,
    resources           text, -- separated by spaces
    binding             bytea, -- 'd' or 'c', and the thumbprint of a DPoP key or certificate
    approved_from       text, -- the address, and after a space the name of the browser
    code                text -- JSON; NULL when the code's end has come
) WITH (fillfactor = 80);

-- The families of a user that were not revoked, and those of one client among them. A refresh changes none of these columns, so
-- that it writes no index; what was revoked, which may be most, is out of the way.
CREATE INDEX families_not_revoked ON grants (user_key, client_key) WHERE root IS NULL AND revoked_at IS NULL;

-- The other grants of a family.
CREATE INDEX siblings ON grants (root) WHERE root IS NOT NULL;

-- Access tokens that were revoked alone, kept until they would have ended anyway.
CREATE TABLE listed_access_tokens (
    id      bytea PRIMARY KEY,
    ends_at bigint
);

-- Tokens that another system issued, by the SHA-256 digest of their strings. A row is written once and never changed. A refresh
-- token is remembered until the other system would have refused it too, also when its grant is gone: taken over once more, it
-- would give tokens again. An access token goes with its grant.
CREATE TABLE imported_refresh_tokens (
    ends_at  bigint NOT NULL,
    digest   bytea PRIMARY KEY,
    grant_id uuid NOT NULL UNIQUE
);

CREATE TABLE imported_access_tokens (
    issued_at bigint NOT NULL,
    ends_at   bigint NOT NULL,
    digest    bytea PRIMARY KEY,
    grant_id  uuid NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    scope     text NOT NULL
);

CREATE INDEX imported_access_tokens_by_grant ON imported_access_tokens (grant_id);

-- Login sessions. One that has ended keeps its row, so that it never begins again.
CREATE TABLE sessions (
    id               uuid PRIMARY KEY,
    secret_digest    bytea NOT NULL,
    user_key         integer NOT NULL,
    created_at       bigint NOT NULL,
    authenticated_at bigint NOT NULL,
    expires_at       bigint NOT NULL
);

CREATE INDEX sessions_by_user ON sessions (user_key, expires_at);

-- What users allowed clients.
CREATE TABLE consents (
    user_key   integer NOT NULL,
    client_key integer NOT NULL,
    given_at   bigint NOT NULL,
    scope      text NOT NULL,
    resources  text, -- separated by spaces
    PRIMARY KEY (user_key, client_key)
);

CREATE TABLE announced_keys (
    kid         smallint PRIMARY KEY,
    check_value bytea NOT NULL
);

CREATE TABLE signing_keys (
    position     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key_id       text NOT NULL UNIQUE,
    algorithm    text NOT NULL,
    sealed_under smallint NOT NULL,
    sealed       bytea NOT NULL,
    created_at   bigint NOT NULL,
    signs_from   bigint NOT NULL,
    withdrawn_at bigint
);

-- When the store was swept last. No row when it never was.
CREATE TABLE last_sweep (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    swept_at bigint NOT NULL
);

-- How often clients and keys were changed: nodes that keep them in memory ask for it each second.
CREATE TABLE changes (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    clients  bigint NOT NULL,
    keys     bigint NOT NULL
);

INSERT INTO changes (clients, keys) VALUES (0, 0);

-- The processes that use the database, and the newest master key that each has loaded.
CREATE TABLE nodes (
    seen_at     bigint NOT NULL,
    id          uuid PRIMARY KEY,
    newest_kid  smallint NOT NULL,
    check_value bytea NOT NULL,
    name        text NOT NULL,
    version     text NOT NULL
);
