use regrant_grant::{RedeemVerdict, Verdict};

use super::KeyState;

/// Why a token ends at its prefilter tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unrecognised {
    /// Its tag is not ours.
    Forged,
    /// Its master key is in force, and not here.
    KeyMissing,
    /// Its master key was retired, so nobody can tell any more whose token it is.
    KeyRetired,
}

impl From<Unrecognised> for Verdict {
    fn from(unrecognised: Unrecognised) -> Self {
        match unrecognised {
            Unrecognised::Forged => Self::Forged,
            Unrecognised::KeyMissing => Self::Unavailable,
            Unrecognised::KeyRetired => Self::DeadEpoch,
        }
    }
}

impl From<Unrecognised> for RedeemVerdict {
    fn from(unrecognised: Unrecognised) -> Self {
        match unrecognised {
            Unrecognised::Forged => Self::Forged,
            Unrecognised::KeyMissing => Self::Unavailable,
            Unrecognised::KeyRetired => Self::DeadEpoch,
        }
    }
}

impl Unrecognised {
    /// What a token is under a key in this state, which is of no use here.
    pub(super) fn of(state: KeyState) -> Self {
        match state {
            KeyState::Missing => Self::KeyMissing,
            KeyState::Retired => Self::KeyRetired,
            KeyState::InForce | KeyState::Prepared | KeyState::Ahead | KeyState::Nobodys => Self::Forged,
        }
    }
}
