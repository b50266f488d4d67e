//! Consents.

pub(crate) const SELECT_CONSENT: &str = "
    SELECT users.subject AS user, clients.id AS client, consents.scope AS scope, consents.resources AS resources,
           consents.given_at AS given_at
    FROM consents
    JOIN users ON users.key = consents.user
    JOIN clients ON clients.key = consents.client
    WHERE users.subject = ?1 AND clients.id = ?2";
pub(crate) const KEEP_CONSENT: &str = "
    INSERT INTO consents (user, client, scope, resources, given_at)
    SELECT users.key, clients.key, ?3, ?4, ?5
    FROM users, clients
    WHERE users.subject = ?1 AND users.removed_at IS NULL AND clients.id = ?2 AND clients.removed_at IS NULL
    ON CONFLICT (user, client) DO UPDATE
    SET scope = excluded.scope, resources = excluded.resources, given_at = excluded.given_at";
pub(crate) const DELETE_CONSENT: &str = "
    DELETE FROM consents
    WHERE user = (SELECT key FROM users WHERE subject = ?1) AND client = (SELECT key FROM clients WHERE id = ?2)";
pub(crate) const DELETE_CONSENTS_OF_USER: &str =
    "DELETE FROM consents WHERE user = (SELECT key FROM users WHERE subject = ?1)";
pub(crate) const DELETE_CONSENTS_TO_CLIENT: &str =
    "DELETE FROM consents WHERE client = (SELECT key FROM clients WHERE id = ?1)";
