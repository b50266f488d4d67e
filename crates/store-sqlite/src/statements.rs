//! Every statement on the tables, by what it is about. Columns are read in the order in which they stand here.

pub(crate) mod client;
pub(crate) mod consent;
pub(crate) mod database;
pub(crate) mod grant;
pub(crate) mod high_water;
pub(crate) mod imported_token;
pub(crate) mod key;
pub(crate) mod moved;
pub(crate) mod session;
pub(crate) mod user;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use regrant_grant::Realm;
    use regrant_protocol::Timestamp;
    use rusqlite::Connection;

    use super::grant::{
        INSERT_GRANT, SELECT_ENDED_SLICE, SELECT_FAMILIES, SELECT_FAMILIES_NOT_REVOKED, SELECT_FAMILIES_PAGE,
        SELECT_FAMILIES_SLICE, SELECT_GRANT, SELECT_GRANTS_OF_USER, SELECT_GRANTS_SLICE_END, SELECT_LAST_USED_SIBLING,
        SELECT_LISTED_ACCESS_TOKENS_SLICE, SELECT_OPEN_CODES, SELECT_SIBLING, UPDATE_GRANT, UPDATE_GRANT_AND_END,
    };
    use super::imported_token::{
        SELECT_IMPORTED_ACCESS_TOKEN, SELECT_IMPORTED_ACCESS_TOKENS_SLICE, SELECT_IMPORTED_REFRESH_TOKEN,
        SELECT_IMPORTED_REFRESH_TOKENS_SLICE,
    };
    use super::session::{
        END_OLDEST_SESSIONS, END_SESSIONS_OF_USER, SELECT_SESSION, SELECT_SESSION_END, SELECT_SESSIONS_SLICE,
    };
    use super::user::SELECT_USERS_PAGE;
    use crate::Genesis;
    use crate::migration::{MIGRATIONS, migrate};

    fn store() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        let genesis = Genesis { realm: Realm([1; 16]), epoch_random: [2; 16] };
        migrate(&mut connection, Path::new("regrant.db"), MIGRATIONS, &genesis, Timestamp::from_seconds(1)).unwrap();
        connection
    }

    /// One column of what SQLite says about a statement, row by row.
    fn explain(connection: &Connection, explain: &str, sql: &str, column: &str) -> Vec<String> {
        let mut statement = connection.prepare(&format!("{explain} {sql}")).unwrap();
        // A parameter without a value is NULL, which no plan depends on.
        let mut rows = statement.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            steps.push(row.get(column).unwrap());
        }
        steps
    }

    #[test]
    fn a_refresh_writes_no_index() {
        let connection = store();
        let trees_written = |sql| {
            let steps = explain(&connection, "EXPLAIN", sql, "opcode");
            steps.iter().filter(|opcode| *opcode == "OpenWrite").count()
        };
        assert_eq!(trees_written(UPDATE_GRANT), 1, "the table");
        assert_eq!(trees_written(UPDATE_GRANT_AND_END), 2, "the table, and the families that were not revoked");
        assert_eq!(trees_written(INSERT_GRANT), 3, "the table and both indexes");
    }

    #[test]
    fn what_is_asked_often_is_found_without_looking_through_a_table() {
        let connection = store();
        let plan = |sql| explain(&connection, "EXPLAIN QUERY PLAN", sql, "detail");
        let key = |table| format!("SEARCH {table} USING INTEGER PRIMARY KEY (rowid=?)");
        let (user_of_grant, client_of_grant) = (key("users"), key("clients"));
        let user_by_subject = "SEARCH users USING INDEX sqlite_autoindex_users_1 (subject=?)";
        let sibling = "SEARCH sibling USING COVERING INDEX siblings (root=?)";
        let session_of_grant = "SEARCH sessions USING PRIMARY KEY (id=?) LEFT-JOIN";
        let slice = "SEARCH grants USING PRIMARY KEY (id>? AND id<?)";
        let users = "SEARCH users USING COVERING INDEX sqlite_autoindex_users_1 (subject=?)";
        for (sql, expected) in [
            (SELECT_GRANT, &["SEARCH grants USING PRIMARY KEY (id=?)", &client_of_grant, &user_of_grant][..]),
            (
                SELECT_GRANTS_OF_USER,
                &[
                    user_by_subject,
                    "SEARCH grants USING INDEX families_not_revoked (user=?)",
                    "CORRELATED SCALAR SUBQUERY 2",
                    sibling,
                    &client_of_grant,
                    session_of_grant,
                    "CORRELATED SCALAR SUBQUERY 1",
                    sibling,
                    "USE TEMP B-TREE FOR ORDER BY",
                ],
            ),
            (
                SELECT_FAMILIES,
                &[
                    "SEARCH clients USING INDEX sqlite_autoindex_clients_1 (id=?)",
                    user_by_subject,
                    "SEARCH grants USING INDEX families_not_revoked (user=? AND client=? AND root=? AND revoked_at=?)",
                    "CORRELATED SCALAR SUBQUERY 2",
                    sibling,
                    session_of_grant,
                    "CORRELATED SCALAR SUBQUERY 1",
                    sibling,
                ],
            ),
            (
                SELECT_FAMILIES_NOT_REVOKED,
                &[
                    "SEARCH grants USING COVERING INDEX families_not_revoked (user=? AND client=? AND root=? AND revoked_at=?)",
                    "SCALAR SUBQUERY 1",
                    users,
                    "SCALAR SUBQUERY 2",
                    "SEARCH clients USING COVERING INDEX sqlite_autoindex_clients_1 (id=?)",
                ],
            ),
            (
                SELECT_OPEN_CODES,
                &[
                    "SEARCH clients USING INDEX sqlite_autoindex_clients_1 (id=?)",
                    user_by_subject,
                    "SEARCH grants USING INDEX families_not_revoked (user=? AND client=? AND root=? AND revoked_at=?)",
                    "USE TEMP B-TREE FOR ORDER BY",
                ],
            ),
            (
                SELECT_FAMILIES_PAGE,
                &[
                    user_by_subject,
                    "SEARCH grants USING INDEX families_not_revoked (user=?)",
                    &client_of_grant,
                    "USE TEMP B-TREE FOR ORDER BY",
                ],
            ),
            (
                SELECT_LAST_USED_SIBLING,
                &[
                    "SEARCH grants USING PRIMARY KEY (id=?)",
                    "LIST SUBQUERY 1",
                    "SEARCH grants USING COVERING INDEX siblings (root=?)",
                    &client_of_grant,
                    &user_of_grant,
                    "USE TEMP B-TREE FOR ORDER BY",
                ],
            ),
            (SELECT_SIBLING, &["SEARCH grants USING COVERING INDEX siblings (root=?)"]),
            (SELECT_GRANTS_SLICE_END, &["SEARCH grants USING PRIMARY KEY (id>?)"]),
            (SELECT_FAMILIES_SLICE, &[slice, &client_of_grant, &user_of_grant]),
            (
                SELECT_ENDED_SLICE,
                &[
                    slice,
                    &client_of_grant,
                    &user_of_grant,
                    "CORRELATED SCALAR SUBQUERY 1",
                    "SEARCH sessions USING PRIMARY KEY (id=?)",
                ],
            ),
            (SELECT_SESSIONS_SLICE, &["SEARCH sessions USING PRIMARY KEY (id>?)"]),
            (SELECT_LISTED_ACCESS_TOKENS_SLICE, &["SEARCH listed_access_tokens USING PRIMARY KEY (id>?)"]),
            (SELECT_IMPORTED_REFRESH_TOKEN, &["SEARCH imported_refresh_tokens USING PRIMARY KEY (digest=?)"]),
            (SELECT_IMPORTED_ACCESS_TOKEN, &["SEARCH imported_access_tokens USING PRIMARY KEY (digest=?)"]),
            (SELECT_IMPORTED_ACCESS_TOKENS_SLICE, &["SEARCH imported_access_tokens USING PRIMARY KEY (digest>?)"]),
            (SELECT_IMPORTED_REFRESH_TOKENS_SLICE, &["SEARCH imported_refresh_tokens USING PRIMARY KEY (digest>?)"]),
            (SELECT_USERS_PAGE, &["SEARCH users USING INDEX sqlite_autoindex_users_2 (username>?)"]),
            (SELECT_SESSION_END, &["SEARCH sessions USING PRIMARY KEY (id=?)", "SCALAR SUBQUERY 1", users]),
            (SELECT_SESSION, &["SEARCH sessions USING PRIMARY KEY (id=?)", &user_of_grant]),
            (
                END_SESSIONS_OF_USER,
                &["SEARCH sessions USING INDEX sessions_by_user (user=? AND expires_at>?)", "SCALAR SUBQUERY 1", users],
            ),
            (
                END_OLDEST_SESSIONS,
                &[
                    "SEARCH sessions USING PRIMARY KEY (id=?)",
                    "LIST SUBQUERY 2",
                    "SEARCH sessions USING INDEX sessions_by_user (user=? AND expires_at>?)",
                    "SCALAR SUBQUERY 1",
                    users,
                    "USE TEMP B-TREE FOR ORDER BY",
                ],
            ),
        ] {
            assert_eq!(plan(sql), expected, "{sql}");
        }
    }
}
