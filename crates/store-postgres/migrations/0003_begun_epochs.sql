-- How far the store had come when a restore began the epoch that has not said yet that it ended well, and in which place that was: for as
-- long as it has come no further there, nothing was done in the epoch. NULL where nodes may have used it.
ALTER TABLE epochs ADD COLUMN begun_at bigint;
ALTER TABLE epochs ADD COLUMN begun_in text;
