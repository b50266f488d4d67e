-- A refresh token that was taken over is remembered until the other system would have refused it too, also when its grant is gone:
-- taken over once more, it would give tokens again.
CREATE TABLE remembered_refresh_tokens (
    digest  BLOB    NOT NULL PRIMARY KEY,
    grant   BLOB    NOT NULL UNIQUE,
    ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Its end in the other system was not written down: 400 days after it was used last, as of what was revoked.
INSERT INTO remembered_refresh_tokens (digest, grant, ends_at)
SELECT digest, grant, rotated_at + 34560000000 FROM imported_refresh_tokens JOIN grants ON grants.id = grant;

DROP TABLE imported_refresh_tokens;
ALTER TABLE remembered_refresh_tokens RENAME TO imported_refresh_tokens;
