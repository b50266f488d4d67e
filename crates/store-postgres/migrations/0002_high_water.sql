-- How far the store has come, compared with what is written down outside the database: a counter that only grows, the number of the
-- last record of the journal that is in here, and when it was found out that the database was put back to an earlier day.
CREATE TABLE high_water (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    counter    bigint NOT NULL,
    journalled bigint NOT NULL,
    halted_at  bigint
);

INSERT INTO high_water (counter, journalled) VALUES (0, 0);

-- How tokens of the epoch before are taken until a time; NULL where they are dead.
ALTER TABLE epochs ADD COLUMN recovers_epoch smallint;
ALTER TABLE epochs ADD COLUMN recovers_until bigint;
ALTER TABLE epochs ADD COLUMN recovers_public text CHECK (recovers_public IN ('log_in_again', 'accept_ahead'));
