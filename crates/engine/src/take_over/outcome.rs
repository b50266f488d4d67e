/// What became of a refresh token that was presented to an old server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeOverOutcome {
    /// Its user goes on here.
    TakenOver,
    /// The old server does not know it, or not any more.
    Refused,
    /// The old server accepted it, and its user cannot be one here.
    UserRefused,
    /// The old server accepted it, perhaps used it up, and nothing came of that here yet: what it gave is in memory only.
    Lost,
    /// The old server gave no answer, or said that it cannot now. Nothing was decided.
    Unreachable,
    /// The old server refused the question and not the token, as it does when its address or the client's credentials are wrong. Nothing
    /// was decided.
    Misconfigured,
}

impl TakeOverOutcome {
    /// Every outcome.
    pub const ALL: [Self; 6] =
        [Self::TakenOver, Self::Refused, Self::UserRefused, Self::Lost, Self::Unreachable, Self::Misconfigured];

    /// The name of the outcome.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TakenOver => "taken_over",
            Self::Refused => "refused",
            Self::UserRefused => "user_refused",
            Self::Lost => "lost",
            Self::Unreachable => "unreachable",
            Self::Misconfigured => "misconfigured",
        }
    }
}
