use regrant_grant::Party;
use regrant_protocol::{Profile, Subject, Username};

use crate::Credential;

/// A person who can log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The `sub` of their tokens; it never changes and is never given to another.
    pub subject: Subject,
    /// The name by which they log in.
    pub username: Username,
    /// What is kept of their password; `None` when they cannot log in with one.
    pub credential: Option<Credential>,
    /// Whether they may log in and stay logged in.
    pub status: UserStatus,
    /// What clients may learn about them, when they let them.
    pub profile: Profile,
    /// Grants with a lower one have ended.
    pub cutoff: u32,
    /// Raised by every change but [`UserChange::Rehashed`].
    pub version: u64,
}

impl User {
    /// A user of whom nothing is known but what they are called.
    #[must_use]
    pub fn without_password(subject: Subject, username: Username) -> Self {
        Self {
            subject,
            username,
            credential: None,
            status: UserStatus::Active,
            profile: Profile::default(),
            cutoff: 0,
            version: 1,
        }
    }

    /// What the rule needs to know about the user.
    #[must_use]
    pub fn party(&self) -> Party {
        Party { enabled: self.status == UserStatus::Active, cutoff: self.cutoff, version: self.version }
    }
}

/// Whether a user may log in and stay logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UserStatus {
    /// Yes.
    Active,
    /// Not now: refreshes stop until it is lifted, grants live on.
    Locked,
    /// No.
    Disabled,
}

/// A change of a user. Each but [`UserChange::Rehashed`] raises the user's version.
#[derive(Clone, Debug)]
pub enum UserChange {
    /// Active, locked or disabled.
    Status(UserStatus),
    /// A new password.
    Password {
        /// The version of the user whose old password was checked: where the user has been changed since, nothing is. `None` for
        /// who may set a password without the old one.
        seen_version: Option<u64>,
        /// What is to be kept of it.
        credential: Credential,
    },
    /// The same password in another form: nothing that was begun with it ends, and the version stays. Where `from` is not kept
    /// any more, the password is another by now and nothing changes.
    Rehashed {
        /// What was kept when the password was checked.
        from: Credential,
        /// What is to be kept in its place.
        to: Credential,
    },
    /// A new profile, made of the one that somebody has read. Where the user has been changed since, nothing is.
    Profile {
        /// The version of what was read.
        seen_version: u64,
        /// The profile.
        profile: Box<Profile>,
    },
    /// All grants until now end.
    RaiseCutoff,
    /// Gone for good, with profile, sessions and consents; the subject is never given to another.
    Remove,
}
