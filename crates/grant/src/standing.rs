use regrant_protocol::{ClientId, EpochNumber, Kid, Timestamp};

use crate::{AccessVerdict, AuthorityTag, Generation, Grant, Party, RedeemVerdict, Surroundings, Verdict};

/// Why what is presented does not count, whatever it is presented for.
pub(crate) enum Refused {
    WrongClient,
    Forged,
    RolledBack,
    DeadEpoch,
}

/// Is it a token of this grant, in the hands of the client it was issued to?
pub(crate) fn recognise(row: &Grant, client: &ClientId, authority_tag: AuthorityTag) -> Result<(), Refused> {
    // RFC 6749 §4.1.3 and §6: bound to the client it was issued to. A stranger learns nothing and changes nothing.
    if row.client != *client {
        return Err(Refused::WrongClient);
    }
    match authority_tag {
        AuthorityTag::Valid => Ok(()),
        AuthorityTag::Invalid => Err(Refused::Forged),
        AuthorityTag::Unverifiable => Err(Refused::RolledBack),
        AuthorityTag::Forgotten => Err(Refused::DeadEpoch),
    }
}

/// Where a token stands among those of its grant.
pub(crate) enum Standing {
    /// It is the current one: generation, master key and epoch are the row's.
    Current,
    /// Another came after it.
    Superseded,
}

/// Which generation is presented, and of which life of the store?
pub(crate) fn standing(
    row: &Grant,
    generation: Generation,
    kid: Kid,
    epoch: EpochNumber,
    surroundings: &Surroundings<'_>,
) -> Result<Standing, Refused> {
    if row.epoch > surroundings.epoch {
        return Err(Refused::RolledBack);
    }
    if generation > row.generation {
        // A token of an epoch that a restore ended is dead wherever it stands; a token of this epoch cannot be ahead.
        let is_known_restore = epoch < surroundings.epoch;
        return Err(if is_known_restore { Refused::DeadEpoch } else { Refused::RolledBack });
    }
    // Nothing was issued to this grant since the store was restored: every token string of it is dead.
    if row.epoch < surroundings.epoch {
        return Err(Refused::DeadEpoch);
    }
    if generation < row.generation {
        return Ok(Standing::Superseded);
    }
    let is_current = kid == row.kid && epoch == row.epoch;
    if is_current { Ok(Standing::Current) } else { Err(Refused::DeadEpoch) }
}

/// What ended a grant from outside, without a write to its row.
pub(crate) enum Ended {
    ClientDisabled,
    UserDisabled,
    Revoked,
}

/// May this client and user still have tokens of this grant?
pub(crate) fn permit(row: &Grant, surroundings: &Surroundings<'_>, now: Timestamp) -> Result<(), Ended> {
    let client = surroundings.client.filter(|client| client.enabled).ok_or(Ended::ClientDisabled)?;
    let user = surroundings.user.filter(|user| user.enabled).ok_or(Ended::UserDisabled)?;
    let session_has_ended = row.session.is_some() && surroundings.session_ends_at.is_none_or(|end| end <= now);
    if has_been_cut_off(row, client, user) || session_has_ended {
        return Err(Ended::Revoked);
    }
    Ok(())
}

/// Whether all grants of its client or of its user that were as old as this one were ended.
pub(crate) fn has_been_cut_off(row: &Grant, client: Party, user: Party) -> bool {
    client.cutoff != row.client_cutoff || user.cutoff != row.user_cutoff
}

impl From<Refused> for Verdict {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::WrongClient => Self::WrongClient,
            Refused::Forged => Self::Forged,
            Refused::RolledBack => Self::RolledBack,
            Refused::DeadEpoch => Self::DeadEpoch,
        }
    }
}

impl From<Refused> for RedeemVerdict {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::WrongClient => Self::WrongClient,
            Refused::Forged => Self::Forged,
            Refused::RolledBack => Self::RolledBack,
            Refused::DeadEpoch => Self::DeadEpoch,
        }
    }
}

impl From<Ended> for Verdict {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::ClientDisabled => Self::ClientDisabled,
            Ended::UserDisabled => Self::UserDisabled,
            Ended::Revoked => Self::Revoked,
        }
    }
}

impl From<Ended> for RedeemVerdict {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::ClientDisabled => Self::ClientDisabled,
            Ended::UserDisabled => Self::UserDisabled,
            Ended::Revoked => Self::Revoked,
        }
    }
}

impl From<Ended> for AccessVerdict {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::ClientDisabled => Self::ClientDisabled,
            Ended::UserDisabled => Self::UserDisabled,
            Ended::Revoked => Self::Revoked,
        }
    }
}
