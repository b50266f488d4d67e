-- How far the store has come, compared at the start with what is written down outside the file: a counter that only grows, the
-- number of the last record of the journal that is in here, and when a token was presented that is ahead of its row.
CREATE TABLE high_water (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    counter    INTEGER NOT NULL,
    journalled INTEGER NOT NULL,
    halted_at  INTEGER
) STRICT;
INSERT INTO high_water (only_row, counter, journalled) VALUES (1, 0, 0);

-- How tokens of the epoch before are taken until a time; NULL where they are dead.
ALTER TABLE epochs ADD COLUMN recovers_epoch INTEGER;
ALTER TABLE epochs ADD COLUMN recovers_until INTEGER;
ALTER TABLE epochs ADD COLUMN recovers_public TEXT CHECK (recovers_public IN ('log_in_again', 'accept_ahead'));
