-- With the columns that are NULL in every row of it, so that families are counted in the index alone: each was looked up in the table
-- to see that it was not revoked.
DROP INDEX families_not_revoked;
CREATE INDEX families_not_revoked ON grants (user, client, root, revoked_at) WHERE root IS NULL AND revoked_at IS NULL;
