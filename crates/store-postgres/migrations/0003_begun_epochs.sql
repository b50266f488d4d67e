-- How far the store had come when a restore began the epoch: for as long as it has come no further, nothing was done in it. NULL where
-- that is not known.
ALTER TABLE epochs ADD COLUMN begun_at bigint;
