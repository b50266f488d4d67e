-- The families of a user that were not revoked, and those of one client among them: what a user is shown, and what there may
-- be only so many of. A refresh writes none of these columns, and what was revoked, which may be most, is out of the way.
DROP INDEX grants_by_user_and_client;
CREATE INDEX families_not_revoked ON grants (user, client) WHERE root IS NULL AND revoked_at IS NULL;

-- The other grants of a family.
CREATE INDEX siblings ON grants (root) WHERE root IS NOT NULL;
