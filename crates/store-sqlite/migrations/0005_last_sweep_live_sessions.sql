-- When the store was swept last, by its own clock, so that a clock that jumped while nothing ran is noticed. No row when it
-- never was.
CREATE TABLE last_sweep (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    swept_at INTEGER NOT NULL
) STRICT;

-- The sessions of a user that go on, without a look at those that ended and are kept for a day.
DROP INDEX sessions_by_user;
CREATE INDEX sessions_by_user ON sessions (user, expires_at);
