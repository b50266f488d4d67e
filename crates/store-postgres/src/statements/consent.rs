//! Consents.

pub(crate) const SELECT_CONSENT: &str = r#"
    SELECT users.subject AS "user", clients.id AS client, consents.scope, consents.resources, consents.given_at
    FROM consents
    JOIN users ON users.key = consents.user_key
    JOIN clients ON clients.key = consents.client_key
    WHERE users.subject = $1 AND clients.id = $2"#;
/// Neither user nor client is removed before this is committed: whoever removes them forgets it then.
pub(crate) const KEEP_CONSENT: &str = "
    INSERT INTO consents (user_key, client_key, scope, resources, given_at)
    SELECT users.key, clients.key, $3, $4, $5
    FROM users, clients
    WHERE users.subject = $1 AND users.removed_at IS NULL AND clients.id = $2 AND clients.removed_at IS NULL
    FOR SHARE
    ON CONFLICT (user_key, client_key) DO UPDATE
    SET scope = excluded.scope, resources = excluded.resources, given_at = excluded.given_at";
pub(crate) const DELETE_CONSENT: &str = "
    DELETE FROM consents
    WHERE user_key = (SELECT key FROM users WHERE subject = $1) AND client_key = (SELECT key FROM clients WHERE id = $2)";
pub(crate) const DELETE_CONSENTS_OF_USER: &str =
    "DELETE FROM consents WHERE user_key = (SELECT key FROM users WHERE subject = $1)";
pub(crate) const DELETE_CONSENTS_TO_CLIENT: &str =
    "DELETE FROM consents WHERE client_key = (SELECT key FROM clients WHERE id = $1)";
