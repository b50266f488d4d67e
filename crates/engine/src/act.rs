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
    /// Made a new signing key.
    KeyRotated {
        /// Whether the one before was stolen: then the new one signs at once.
        emergency: bool,
    },
    /// Withdrew a signing key: what it signed is refused.
    KeyWithdrawn {
        /// Whether an emergency did, of this key or of the master key.
        emergency: bool,
    },
    /// Made the master key that the next rotation puts in force.
    MasterKeyPrepared,
    /// Put a new master key in force.
    MasterKeyRotated {
        /// Whether the one before was stolen: then the older ones are retired.
        emergency: bool,
    },
    /// Retired a master key in an emergency: what was made under it is dead.
    MasterKeyRetired,
    /// Wrote a copy of the database.
    BackupWritten,
    /// Said that the clock is right.
    ClockTrusted,
    /// Took over what another system kept.
    Imported,
}

impl Act {
    /// Every act.
    pub const ALL: [Self; 28] = [
        Self::ClientRegistered,
        Self::ClientChanged,
        Self::ClientRemoved,
        Self::ClientSecretRotated,
        Self::ClientEnabled,
        Self::ClientDisabled,
        Self::ClientGrantsEnded,
        Self::UserRegistered,
        Self::UserChanged,
        Self::UserRemoved,
        Self::UserPasswordSet,
        Self::UserLocked,
        Self::UserDisabled,
        Self::UserEnabled,
        Self::UserGrantsEnded,
        Self::GrantEnded,
        Self::GrantsEnded,
        Self::KeyRotated { emergency: false },
        Self::KeyRotated { emergency: true },
        Self::KeyWithdrawn { emergency: false },
        Self::KeyWithdrawn { emergency: true },
        Self::MasterKeyPrepared,
        Self::MasterKeyRotated { emergency: false },
        Self::MasterKeyRotated { emergency: true },
        Self::MasterKeyRetired,
        Self::BackupWritten,
        Self::ClockTrusted,
        Self::Imported,
    ];

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
            Self::KeyRotated { emergency: false } => "key_rotated",
            Self::KeyRotated { emergency: true } => "key_rotated_in_emergency",
            Self::KeyWithdrawn { emergency: false } => "key_withdrawn",
            Self::KeyWithdrawn { emergency: true } => "key_withdrawn_in_emergency",
            Self::MasterKeyPrepared => "master_key_prepared",
            Self::MasterKeyRotated { emergency: false } => "master_key_rotated",
            Self::MasterKeyRotated { emergency: true } => "master_key_rotated_in_emergency",
            Self::MasterKeyRetired => "master_key_retired",
            Self::BackupWritten => "backup_written",
            Self::ClockTrusted => "clock_trusted",
            Self::Imported => "imported",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_lists_every_act() {
        let page = include_str!("../../../docs/operations/observe.md");
        let (_, table) = page.split_once("| act |").unwrap();
        let rows = table.lines().skip(2).map_while(|line| line.strip_prefix("| `")?.split('`').next());
        assert_eq!(rows.collect::<Vec<_>>(), Act::ALL.map(Act::as_str));
    }
}
