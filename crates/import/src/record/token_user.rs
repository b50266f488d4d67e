/// The user that a token speaks for, as its row names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenUser {
    /// The [`ForeignUser::subject`](crate::ForeignUser) where the user is known, and otherwise what the token's row says.
    pub subject: String,
    /// The `sub` that clients were told for this token, where the row has another than `subject` (WSO2).
    pub told_as: Option<String>,
    /// Whether the database knows them.
    pub standing: UserStanding,
}

/// Whether the user of a token is among the users of the same database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserStanding {
    /// They are.
    Known,
    /// There are users, but not this one: an orphan. The systems themselves do not look, and go on refreshing it.
    Missing,
    /// The database keeps no users: they are in a directory, or in the application's own tables.
    Elsewhere,
}
