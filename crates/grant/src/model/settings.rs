use super::breach::Breach;
use super::token::Token;
use crate::{OnReuse, RecoverPublic, RotationMode};

/// One tick of the model's clock: as long as a request may be held on the way, and as long as the server may let it wait.
pub const TICK_SECONDS: u32 = 10;

/// What may happen in one configuration, and within which bounds.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How the client proves that it is the same sender.
    pub client: ClientType,
    /// Whether the grant was imported, and begins with another system's token.
    pub imported: bool,
    /// What a refresh does to the refresh token.
    pub rotation: RotationMode,
    /// What reuse does; `None` for what fits the client.
    pub on_reuse: Option<OnReuse>,
    /// The retry window in ticks.
    pub window_ticks: u8,
    /// The idle lifetime in ticks; 0 for never.
    pub idle_ticks: u8,
    /// The absolute lifetime in ticks; 0 for never.
    pub absolute_ticks: u8,
    /// The last generation that is issued; the grant begins with generation 1, or with 0 when it was imported.
    pub generations_max: u8,
    /// How the client retries.
    pub retry: RetryRule,
    /// Who uses the client's token store.
    pub tabs: Tabs,
    /// A request is decided only while it is younger than this many ticks: 2 when it is on the way and in the server for
    /// less than 10 seconds each.
    pub request_life_ticks: u8,
    /// Whether the server answers 503 to requests that it could have decided.
    pub sheds: bool,
    /// How often a new master key is made; a second node may learn of it later.
    pub key_rotations_max: u8,
    /// Whether a snapshot is taken and put back.
    pub restore: Restore,
    /// How often, where it is.
    pub restores_max: u8,
    /// Whether the user revokes the grant.
    pub revocation: bool,
    /// Whether the user's cutoff is raised.
    pub cutoff: bool,
    /// Whether user and client are disabled and enabled again.
    pub disabling: bool,
    /// What the thief takes.
    pub theft: Theft,
    /// Whether the thief also forges tokens and asks for more than was granted.
    pub probing: bool,
    /// How many generations may come to both client and thief before it counts as a breach.
    pub hand_overs_max: u32,
    /// The only promise that is watched; `None` for all of them.
    pub watched: Option<Breach>,
}

impl Settings {
    /// A client of this type that rotates its token, and nothing but delay, loss and crashes.
    #[must_use]
    pub const fn honest(client: ClientType) -> Self {
        let window_ticks = 4;
        Self {
            client,
            imported: false,
            rotation: RotationMode::Rotate,
            on_reuse: None,
            window_ticks,
            idle_ticks: 0,
            absolute_ticks: 0,
            generations_max: 3,
            retry: RetryRule::published(window_ticks),
            tabs: Tabs::ShareRecord,
            request_life_ticks: 2,
            sheds: false,
            key_rotations_max: 0,
            restore: Restore::Never,
            restores_max: 1,
            revocation: false,
            cutoff: false,
            disabling: false,
            theft: Theft::Never,
            probing: false,
            hand_overs_max: 0,
            watched: None,
        }
    }

    /// The token that the grant begins with.
    pub(super) const fn first_token(&self) -> Token {
        if self.imported { Token::IMPORTED } else { Token::FIRST }
    }

    /// Whether what the thief took is useless to him: he can be told from the client even with a current token.
    pub(super) const fn thief_is_powerless(&self) -> bool {
        matches!(self.client, ClientType::Confidential | ClientType::Bound)
    }

    /// Whether reuse ends the grant.
    pub(super) fn reuse_revokes(&self) -> bool {
        match self.on_reuse {
            Some(on_reuse) => on_reuse == OnReuse::Revoke,
            None => self.client != ClientType::Bound,
        }
    }
}

/// How a client proves that it is the same sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientType {
    /// By its authentication.
    Confidential,
    /// Public, by the key that its tokens are bound to.
    Bound,
    /// Public, by the verifier of the retry challenge.
    Challenge,
    /// Public, not at all.
    Bearer,
}

impl ClientType {
    /// Every type.
    pub const ALL: [Self; 4] = [Self::Confidential, Self::Bound, Self::Challenge, Self::Bearer];

    /// Its name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confidential => "confidential",
            Self::Bound => "bound",
            Self::Challenge => "challenge",
            Self::Bearer => "bearer",
        }
    }
}

/// How a client retries.
#[derive(Clone, Copy, Debug)]
pub struct RetryRule {
    /// How many requests one refresh may take.
    pub tries_max: u8,
    /// The last try is sent at most this many ticks after the first.
    pub last_try_after_ticks: u8,
    /// An unanswered try keeps the next refresh waiting until it is this many ticks old.
    pub quiet_ticks: u8,
    /// After which answers the client waits.
    pub quiet: QuietReading,
}

impl RetryRule {
    /// The published rule: the last try is sent early enough to be decided inside the window, and the next refresh waits
    /// until no try can be decided any more.
    #[must_use]
    pub const fn published(window_ticks: u8) -> Self {
        Self {
            tries_max: 2,
            last_try_after_ticks: window_ticks - 2,
            quiet_ticks: 2,
            quiet: QuietReading::AnyUnansweredTry,
        }
    }
}

/// Who uses the client's token store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tabs {
    /// Any number of tabs or processes with one record of the outstanding refresh, as the retry rule asks. Whichever of
    /// them sends the next try, it is the same refresh; and when one dies, it is an answer that nobody hears.
    ShareRecord,
    /// Two that share the token only, and know nothing of each other's requests.
    TwoWithoutRecord,
}

/// Two readings of "after an answer that came by a retry".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuietReading {
    /// The client waits whenever a try is unanswered, whichever try the answer came by.
    AnyUnansweredTry,
    /// The client waits only when the answer itself came by a later try than the first.
    AnswerToLaterTry,
}

/// What becomes of a snapshot of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Restore {
    /// None is taken.
    Never,
    /// It is put back, the store notices, begins an epoch in which every older token is dead, and applies its journal.
    Strict,
    /// The same, but until the operator's time is over it takes tokens of the epoch before.
    Recover(RecoverPublic),
    /// It is put back together with mark and journal, so that only a token ahead of its row can tell.
    Unnoticed,
}

/// What the thief takes, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theft {
    /// Nothing.
    Never,
    /// One token, from the client's store or from a message.
    Token,
    /// One token, or one whole request with its retry challenge.
    Message,
}
