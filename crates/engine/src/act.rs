/// What an operator did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Act {
    /// Registered a client.
    ClientRegistered,
    /// Changed the settings of a client.
    ClientChanged,
    /// Removed a client.
    ClientRemoved,
    /// Gave a client a new secret.
    ClientSecretRotated,
    /// Let a client have tokens again.
    ClientEnabled,
    /// Kept a client from having tokens.
    ClientDisabled,
    /// Ended all grants of a client.
    ClientGrantsEnded,
    /// Registered a user.
    UserRegistered,
    /// Changed the profile of a user.
    UserChanged,
    /// Removed a user.
    UserRemoved,
    /// Gave a user a new password.
    UserPasswordSet,
    /// Locked a user.
    UserLocked,
    /// Disabled a user.
    UserDisabled,
    /// Let a user log in again.
    UserEnabled,
    /// Ended all grants of a user.
    UserGrantsEnded,
    /// Ended one grant.
    GrantEnded,
    /// Ended the grants that a filter means.
    GrantsEnded,
    /// Made a new key, or retired an old one.
    KeyRotated,
    /// Wrote a copy of the database.
    BackupWritten,
    /// Said that the clock is right.
    ClockTrusted,
}

impl Act {
    /// The name of the act.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientRegistered => "client_registered",
            Self::ClientChanged => "client_changed",
            Self::ClientRemoved => "client_removed",
            Self::ClientSecretRotated => "client_secret_rotated",
            Self::ClientEnabled => "client_enabled",
            Self::ClientDisabled => "client_disabled",
            Self::ClientGrantsEnded => "client_grants_ended",
            Self::UserRegistered => "user_registered",
            Self::UserChanged => "user_changed",
            Self::UserRemoved => "user_removed",
            Self::UserPasswordSet => "user_password_set",
            Self::UserLocked => "user_locked",
            Self::UserDisabled => "user_disabled",
            Self::UserEnabled => "user_enabled",
            Self::UserGrantsEnded => "user_grants_ended",
            Self::GrantEnded => "grant_ended",
            Self::GrantsEnded => "grants_ended",
            Self::KeyRotated => "key_rotated",
            Self::BackupWritten => "backup_written",
            Self::ClockTrusted => "clock_trusted",
        }
    }
}

/// Through which door an operator came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The socket in the data directory.
    Socket,
    /// The admin listener, with the admin token.
    Listener,
    /// A command that opened the store itself, as no server was running.
    Process,
}

impl Door {
    /// The name of the door.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Socket => "socket",
            Self::Listener => "listener",
            Self::Process => "process",
        }
    }
}
