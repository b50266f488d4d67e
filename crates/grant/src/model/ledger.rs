use super::breach::Breach;
use super::row::Row;
use super::settings::{ClientType, Restore, Settings};
use super::token::{Token, Tokens};
use crate::{RecoverPublic, RotationMode, Verdict};

/// Who presents a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Sender {
    Client,
    Thief,
}

/// What the model remembers beside the world, to hold the rule to its promises. It is written from what was sent and
/// received, never from what the rule wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ledger {
    /// Tokens that the server gave out.
    pub(super) issued: Tokens,
    /// Tokens that were superseded.
    used: Tokens,
    /// Tokens that even their proper sender was refused.
    dead: Tokens,
    /// The last token that was given out, unused; `None` when the last use gave none.
    pub(super) newest: Option<Token>,
    /// The token right before it.
    superseded: Option<Token>,
    /// Who rotated it.
    rotated_by: Sender,
    /// Ticks since then, up to the window.
    age_ticks: u8,
    /// Ticks to the idle end; 0 when it has passed or there is none.
    idle_left_ticks: u8,
    /// Ticks to the absolute end; 0 when it has passed or there is none.
    absolute_left_ticks: u8,
    pub(super) is_expired: bool,
    /// The grant was ended, and who ended it has the answer.
    pub(super) is_ended: bool,
    /// There is a reason why the client may be refused.
    pub(super) is_excused: bool,
    restored: Restore,
    /// The epoch of the store.
    epoch: u8,
    /// What the copy that may be put back knows of what was sent; `None` where that does not count.
    copied: Option<Copied>,
    /// The store was restored, and takes tokens of the epoch before by its policy.
    recovers: bool,
    /// Which ones, from their proper sender.
    recoverable: Tokens,
    /// Generations that were sent to the client, one bit each.
    client_generations: u8,
    /// Generations that were sent to the thief, one bit each.
    thief_generations: u8,
    pub(super) breach: Option<Breach>,
}

/// What had been sent when a copy of the store was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Copied {
    issued: Tokens,
    newest: Option<Token>,
    superseded: Option<Token>,
    rotated_by: Sender,
    age_ticks: u8,
    idle_left_ticks: u8,
}

/// One decision of the server, as both sides of the connection saw it.
pub(super) struct Exchange {
    pub(super) sender: Sender,
    pub(super) token: Token,
    /// The tag of the token was not made by us.
    pub(super) is_forged: bool,
    /// The client still waits for the answer to this refresh.
    pub(super) is_awaited: bool,
    /// It carries the challenge that the row keeps, but not its verifier: the first try of the refresh that rotated, or a
    /// copy of it.
    pub(super) owes_verifier: bool,
    pub(super) verdict: Verdict,
    pub(super) before: Row,
    pub(super) after: Row,
    /// The refresh token in the answer.
    pub(super) given: Option<Token>,
}

impl Ledger {
    pub(super) fn new(settings: &Settings) -> Self {
        let mut issued = Tokens::EMPTY;
        issued.insert(settings.first_token());
        Self {
            issued,
            used: Tokens::EMPTY,
            dead: Tokens::EMPTY,
            newest: Some(settings.first_token()),
            superseded: None,
            rotated_by: Sender::Client,
            age_ticks: 0,
            idle_left_ticks: settings.idle_ticks,
            absolute_left_ticks: settings.absolute_ticks,
            is_expired: false,
            is_ended: false,
            is_excused: false,
            restored: Restore::Never,
            epoch: settings.first_token().epoch,
            copied: None,
            recovers: false,
            recoverable: Tokens::EMPTY,
            client_generations: 0,
            thief_generations: 0,
            breach: None,
        }
    }

    /// One tick passes.
    pub(super) fn tick(&mut self, settings: &Settings) {
        self.age_ticks = (self.age_ticks + 1).min(settings.window_ticks);
        if let Some(copied) = &mut self.copied {
            copied.age_ticks = (copied.age_ticks + 1).min(settings.window_ticks);
            copied.idle_left_ticks = copied.idle_left_ticks.saturating_sub(1);
        }
        for left in [&mut self.idle_left_ticks, &mut self.absolute_left_ticks] {
            self.is_expired |= *left == 1;
            *left = left.saturating_sub(1);
        }
        self.is_excused |= self.is_expired;
    }

    /// The grant was ended by its user, and he has the answer.
    pub(super) fn end(&mut self) {
        self.is_ended = true;
        self.is_excused = true;
    }

    /// The store is copied.
    pub(super) fn take_copy(&mut self, settings: &Settings) {
        if matches!(settings.restore, Restore::Recover(_)) {
            let Self { issued, newest, superseded, rotated_by, age_ticks, idle_left_ticks, .. } = *self;
            self.copied = Some(Copied { issued, newest, superseded, rotated_by, age_ticks, idle_left_ticks });
        }
    }

    /// The copy is put back and `epoch` begins, while the client holds `held`.
    pub(super) fn put_back(&mut self, epoch: u8, held: Option<Token>, settings: &Settings) {
        let copied = self.copied.take();
        self.restored = settings.restore;
        self.epoch = epoch;
        if !matches!(settings.restore, Restore::Strict | Restore::Recover(_)) {
            return;
        }
        (self.newest, self.superseded, self.recoverable) = (None, None, Tokens::EMPTY);
        // Its generations are counted anew: what went on in the epoch before is no convoy in this one.
        (self.client_generations, self.thief_generations) = (0, 0);
        match (settings.restore, copied) {
            (Restore::Recover(public), Some(copied)) => self.recover(public, &copied, held, settings),
            _ => self.is_excused = true,
        }
    }

    /// The store takes tokens of the epoch before, as far as the copy lets it.
    fn recover(&mut self, public: RecoverPublic, copied: &Copied, held: Option<Token>, settings: &Settings) {
        self.recovers = true;
        let is_proven = settings.thief_is_powerless();
        let of_former_epoch = |token: &Token| token.epoch + 1 == self.epoch;
        let (mut taken, mut repeated) = (Tokens::EMPTY, Tokens::EMPTY);
        if is_proven || public == RecoverPublic::AcceptAhead {
            let ahead = self.issued.without(copied.issued);
            ahead.iter().filter(of_former_epoch).for_each(|token| taken.insert(token));
        }
        if let Some(newest) = copied.newest.filter(of_former_epoch).filter(|_| is_proven) {
            taken.insert(newest);
            self.newest = Some(newest);
            self.superseded = copied.superseded;
            (self.rotated_by, self.age_ticks) = (copied.rotated_by, copied.age_ticks);
            copied.superseded.into_iter().for_each(|token| repeated.insert(token));
        }
        self.recoverable = taken;
        // The copy does not know which of them were used.
        self.dead = self.dead.without(taken).without(repeated);
        self.is_excused |= !held.is_some_and(|held| taken.contains(held) || repeated.contains(held));
        if held.is_some_and(|held| self.newest == Some(held) || repeated.contains(held)) && settings.idle_ticks > 0 {
            // Nothing is known of a later use.
            self.idle_left_ticks = copied.idle_left_ticks;
            self.is_expired |= self.idle_left_ticks == 0;
            self.is_excused |= self.is_expired;
        }
    }

    /// The time is over for which the store takes tokens of the epoch before.
    pub(super) fn end_recovery(&mut self) {
        self.recovers = false;
        self.recoverable = Tokens::EMPTY;
        if self.newest.is_none_or(|token| token.epoch < self.epoch) {
            // Nothing was taken in time.
            (self.newest, self.superseded) = (None, None);
            self.is_excused = true;
        }
    }

    /// Writes down what was sent and received, and what it breaks.
    pub(super) fn record(&mut self, exchange: &Exchange, settings: &Settings) {
        if let Some(breach) = self.breach_of(exchange, settings) {
            self.break_promise(breach, settings);
        }
        if exchange.verdict.is_success() {
            self.record_success(exchange, settings);
            let handed_over = (self.client_generations & self.thief_generations).count_ones();
            if handed_over > settings.hand_overs_max {
                self.break_promise(Breach::HandedOver, settings);
            }
        }
        let is_change_by_thief = exchange.sender == Sender::Thief && exchange.after != exchange.before;
        self.is_excused |= is_change_by_thief || exchange.after.revoked;
        self.is_ended |= exchange.after.revoked;
    }

    /// The first breach counts.
    fn break_promise(&mut self, breach: Breach, settings: &Settings) {
        if settings.watched.is_none_or(|watched| watched == breach) {
            self.breach.get_or_insert(breach);
        }
    }

    fn breach_of(&self, exchange: &Exchange, settings: &Settings) -> Option<Breach> {
        let is_rolled_back = self.restored == Restore::Unnoticed;
        if exchange.after.generation < exchange.before.generation {
            return Some(Breach::GenerationFell);
        }
        if self.locks_out(exchange, settings) {
            return Some(Breach::ClientLockedOut);
        }
        // Mark and journal were restored too: until a token is ahead of its row, nothing can tell.
        if is_rolled_back {
            return None;
        }
        if self.recovers && exchange.after.revoked && !exchange.before.revoked {
            return Some(Breach::EndedInRecovery);
        }
        if exchange.verdict.is_success() {
            return self.breach_of_success(exchange, settings);
        }
        self.tolerates_reuse(exchange, settings).then_some(Breach::ReuseTolerated)
    }

    /// I6, seen from the client.
    fn locks_out(&self, exchange: &Exchange, settings: &Settings) -> bool {
        let is_no_verdict = matches!(exchange.verdict, Verdict::Unavailable | Verdict::RolledBack);
        let is_refused = !exchange.verdict.is_success() && !is_no_verdict;
        let is_revoked = exchange.after.revoked && !exchange.before.revoked;
        match exchange.sender {
            Sender::Client => !self.is_excused && (is_refused && exchange.is_awaited || is_revoked),
            Sender::Thief => is_revoked && (settings.thief_is_powerless() || exchange.is_forged),
        }
    }

    fn breach_of_success(&self, exchange: &Exchange, settings: &Settings) -> Option<Breach> {
        let token = exchange.token;
        if exchange.is_forged || !self.issued.contains(token) {
            return Some(Breach::ForgeryAccepted);
        }
        if self.is_ended {
            return Some(Breach::AnsweredAfterEnd);
        }
        if self.is_expired && !self.is_ahead(token) || self.is_past_absolute_end(settings) {
            return Some(Breach::AnsweredAfterExpiry);
        }
        if self.dead.contains(token) {
            return Some(Breach::Resurrected);
        }
        if exchange.sender == Sender::Thief && settings.thief_is_powerless() {
            return Some(Breach::AnsweredToThief);
        }
        if self.recoverable.contains(token) {
            self.breach_of_recovery(exchange, settings)
        } else if token.epoch < self.epoch && !self.is_superseded(token) {
            Some(Breach::FormerTokenTaken)
        } else if self.newest == Some(token) {
            self.breach_of_rotation(exchange, settings)
        } else {
            self.breach_of_retry(exchange, settings)
        }
    }

    /// Whether the token is the one before the newest. One of the same generation from before a restore passes for it, as the row
    /// does not keep what it has superseded: the answer that brought it was lost, or the successor would be another.
    fn is_superseded(&self, token: Token) -> bool {
        let passes = |before: Token| token.generation == before.generation && token.epoch < self.epoch;
        self.superseded.is_some_and(|before| before == token || passes(before))
    }

    /// Whether the token was issued after the copy: when it ends, the restored store cannot know.
    fn is_ahead(&self, token: Token) -> bool {
        self.recoverable.contains(token) && self.newest != Some(token)
    }

    fn is_past_absolute_end(&self, settings: &Settings) -> bool {
        settings.absolute_ticks > 0 && self.absolute_left_ticks == 0
    }

    /// Whatever the mode, the successor is the next generation, of this epoch.
    fn breach_of_recovery(&self, exchange: &Exchange, settings: &Settings) -> Option<Breach> {
        match exchange.given {
            Some(given) if (given.generation, given.epoch) != (exchange.token.generation + 1, self.epoch) => {
                Some(Breach::GenerationFell)
            }
            Some(given) => self.issued.has_twin(given).then_some(Breach::TwoStrings),
            None => (settings.rotation != RotationMode::Consume).then_some(Breach::SuccessorLost),
        }
    }

    fn breach_of_rotation(&self, exchange: &Exchange, settings: &Settings) -> Option<Breach> {
        match (settings.rotation, exchange.given) {
            (RotationMode::Rotate, Some(given)) if given.generation != exchange.token.generation + 1 => {
                Some(Breach::GenerationFell)
            }
            (RotationMode::Rotate, Some(given)) => self.issued.has_twin(given).then_some(Breach::TwoStrings),
            (RotationMode::Reuse, given) => (given != Some(exchange.token)).then_some(Breach::TwoStrings),
            (RotationMode::Fork, _) => (exchange.after != exchange.before).then_some(Breach::SuccessorLost),
            (RotationMode::Rotate, None) => Some(Breach::SuccessorLost),
            (RotationMode::Consume, given) => given.map(|_| Breach::TwoStrings),
        }
    }

    fn breach_of_retry(&self, exchange: &Exchange, settings: &Settings) -> Option<Breach> {
        if !self.is_superseded(exchange.token) || self.age_ticks >= settings.window_ticks {
            return Some(Breach::AnsweredOutsideWindow);
        }
        // The other direction, the client that gets what the thief rotated, is counted as a hand-over.
        let is_told_apart = settings.client != ClientType::Bearer;
        if is_told_apart && exchange.sender == Sender::Thief && self.rotated_by == Sender::Client {
            return Some(Breach::AnsweredToThief);
        }
        (exchange.given != self.newest).then_some(Breach::TwoStrings)
    }

    /// I5: a superseded token was refused, was no late retry of the same sender, and the grant lives on.
    fn tolerates_reuse(&self, exchange: &Exchange, settings: &Settings) -> bool {
        if exchange.after.revoked
            || !settings.reuse_revokes()
            || settings.rotation != RotationMode::Rotate
            || self.recovers
        {
            return false;
        }
        if exchange.verdict == Verdict::ReuseDetected {
            return true;
        }
        let is_stranger = exchange.sender == Sender::Thief && settings.thief_is_powerless();
        let is_decided = !self.is_ended
            && !self.is_expired
            && !exchange.is_forged
            && self.restored == Restore::Never
            && exchange.verdict != Verdict::Unavailable;
        let is_retry = self.superseded == Some(exchange.token)
            && match settings.client {
                // Refused for another reason, or too late.
                ClientType::Confidential | ClientType::Bound => true,
                ClientType::Challenge => exchange.sender == self.rotated_by || exchange.owes_verifier,
                ClientType::Bearer => self.age_ticks < settings.window_ticks,
            };
        is_decided && !is_stranger && self.used.contains(exchange.token) && !is_retry
    }

    fn record_success(&mut self, exchange: &Exchange, settings: &Settings) {
        let is_recovery = self.recoverable.contains(exchange.token);
        if is_recovery || self.newest == Some(exchange.token) {
            if is_recovery || matches!(settings.rotation, RotationMode::Rotate | RotationMode::Consume) {
                self.used.insert(exchange.token);
                self.superseded = Some(exchange.token);
                self.newest = exchange.given;
                self.rotated_by = exchange.sender;
            }
            if is_recovery || settings.rotation != RotationMode::Fork {
                self.age_ticks = 0;
                self.idle_left_ticks = settings.idle_ticks;
            }
        }
        if is_recovery {
            self.is_expired = false;
            // The row has come past them.
            self.recoverable = self.recoverable.above(exchange.token.generation + 1);
        }
        if let Some(given) = exchange.given {
            self.issued.insert(given);
            if settings.rotation == RotationMode::Rotate {
                match exchange.sender {
                    Sender::Client => self.client_generations |= 1 << given.generation,
                    Sender::Thief => self.thief_generations |= 1 << given.generation,
                }
            }
        }
    }

    /// Writes down whether the proper sender of an issued token would be accepted now, and what that breaks.
    pub(super) fn observe(&mut self, token: Token, is_accepted: bool, settings: &Settings) {
        if self.restored == Restore::Unnoticed {
            return;
        }
        // What passes for the superseded token has its window; and each use of a pinned token, which a restore has put in the place
        // of another, opens that of the other again.
        let has_window =
            token.epoch < self.epoch && self.is_superseded(token) && self.age_ticks < settings.window_ticks;
        if is_accepted && self.dead.contains(token) && !has_window {
            self.break_promise(Breach::Resurrected, settings);
        }
        if !is_accepted {
            self.dead.insert(token);
            let should_live = !self.is_ended && !self.is_expired && token.epoch == self.epoch;
            if should_live && self.newest == Some(token) {
                self.break_promise(Breach::SuccessorLost, settings);
            }
        }
    }
}
