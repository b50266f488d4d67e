/// A promise that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Breach {
    /// I1: a successor that was sent in a 200 is not accepted, though unused, not expired and not revoked.
    SuccessorLost,
    /// I2: one generation has two token strings.
    TwoStrings,
    /// I3: the generation went back, or did not move at a rotation.
    GenerationFell,
    /// I3: a token that was dead is accepted again.
    Resurrected,
    /// I4: a refresh was answered 200 after the answered end of the grant.
    AnsweredAfterEnd,
    /// I5: a superseded token came from whom it should not come from, and the grant lives on against policy.
    ReuseTolerated,
    /// I6: the client that follows the retry rule is refused, or its grant revoked, though nobody gave a reason.
    ClientLockedOut,
    /// A token was accepted after its idle or absolute end.
    AnsweredAfterExpiry,
    /// A superseded token was accepted outside its window, or after its successor was used.
    AnsweredOutsideWindow,
    /// A 200 to somebody who is not the sender that the token is for, or that rotated it.
    AnsweredToThief,
    /// More generations came to both client and thief than the client's proof allows.
    HandedOver,
    /// A token was accepted that was never issued.
    ForgeryAccepted,
    /// A token from before a restore was accepted, and the policy of the restore does not take it from this sender.
    FormerTokenTaken,
    /// The grant was ended for reuse while the store recovered.
    EndedInRecovery,
}

impl Breach {
    /// Every breach.
    pub const ALL: [Self; 14] = [
        Self::SuccessorLost,
        Self::TwoStrings,
        Self::GenerationFell,
        Self::Resurrected,
        Self::AnsweredAfterEnd,
        Self::ReuseTolerated,
        Self::ClientLockedOut,
        Self::AnsweredAfterExpiry,
        Self::AnsweredOutsideWindow,
        Self::AnsweredToThief,
        Self::HandedOver,
        Self::ForgeryAccepted,
        Self::FormerTokenTaken,
        Self::EndedInRecovery,
    ];

    /// The promise that it breaks, for reports.
    #[must_use]
    pub const fn promise(self) -> &'static str {
        match self {
            Self::SuccessorLost => "I1: a successor sent in a 200 is accepted until used, expired or revoked",
            Self::TwoStrings => "I2: a generation has one token string",
            Self::GenerationFell => "I3: a rotation moves the generation on by one, and nothing moves it back",
            Self::Resurrected => "I3: no token string goes from dead to alive",
            Self::AnsweredAfterEnd => "I4: no refresh is answered 200 after the answered end of the grant",
            Self::ReuseTolerated => "I5: reuse ends the grant in the step that finds it, where policy says so",
            Self::ClientLockedOut => "I6: a client that follows the retry rule is never revoked and never locked out",
            Self::AnsweredAfterExpiry => "no token is accepted after its end",
            Self::AnsweredOutsideWindow => "a superseded token is accepted only in its window, successor unused",
            Self::AnsweredToThief => "who proves itself is the only one to be answered 200",
            Self::HandedOver => "client and thief do not both keep refreshing",
            Self::ForgeryAccepted => "only issued tokens are accepted",
            Self::FormerTokenTaken => {
                "a token from before a restore is taken by the policy of the restore, or not at all"
            }
            Self::EndedInRecovery => "nothing is ended for reuse while a store recovers",
        }
    }
}
