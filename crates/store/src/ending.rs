use regrant_grant::{AccessTokenId, GrantId, SessionId};
use regrant_protocol::{ClientId, EpochNumber, Kid, Subject, Timestamp};

use crate::UserStatus;

/// What ended, or was switched off or on: what a copy of the database from before it has to be told again.
///
/// To tell a store an ending twice, or one of something that it never had, changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A grant, and with a root its family: revoked, found reused, its code replayed, or ended to make room.
    Grant {
        /// Which.
        id: GrantId,
        /// When.
        at: Timestamp,
    },
    /// A login session, and with it the grants that end with it.
    Session {
        /// Which.
        id: SessionId,
        /// When.
        at: Timestamp,
    },
    /// Every login session of a user until then, but for one.
    SessionsOfUser {
        /// Whose.
        user: Subject,
        /// The one that goes on.
        except: Option<SessionId>,
        /// When.
        at: Timestamp,
    },
    /// One access token, revoked alone.
    AccessToken {
        /// Which.
        id: AccessTokenId,
        /// Its end; `None` when it has none.
        until: Option<Timestamp>,
    },
    /// All grants of a client with a lower cutoff.
    ClientCutoff {
        /// Which.
        client: ClientId,
        /// What its cutoff is now.
        cutoff: u32,
    },
    /// A client was disabled or enabled.
    ClientEnabled {
        /// Which.
        client: ClientId,
        /// What it is now.
        enabled: bool,
    },
    /// A client was removed.
    ClientRemoved {
        /// Which.
        client: ClientId,
        /// When.
        at: Timestamp,
    },
    /// All grants of a user with a lower cutoff.
    UserCutoff {
        /// Who.
        user: Subject,
        /// What their cutoff is now.
        cutoff: u32,
    },
    /// A user was locked, disabled or enabled.
    UserStatus {
        /// Who.
        user: Subject,
        /// What they are now.
        status: UserStatus,
    },
    /// A user was removed.
    UserRemoved {
        /// Who.
        user: Subject,
        /// When.
        at: Timestamp,
    },
    /// Master keys were retired, and with them what was made under them.
    MasterKeysRetired {
        /// The oldest that counts.
        oldest: Kid,
    },
    /// A signing key was withdrawn.
    SigningKeyWithdrawn {
        /// Its `kid` in the key set.
        key_id: String,
        /// When.
        at: Timestamp,
    },
    /// The epoch before this one: the store was restored.
    Epoch {
        /// The one that begins.
        number: EpochNumber,
    },
}
