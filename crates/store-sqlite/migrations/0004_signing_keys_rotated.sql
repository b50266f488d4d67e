-- From when on a key may sign, and when it was withdrawn; what it was sealed as is gone then.
ALTER TABLE signing_keys ADD COLUMN signs_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE signing_keys ADD COLUMN withdrawn_at INTEGER;

-- Every key so far has signed from when it was made.
UPDATE signing_keys SET signs_from = created_at;
