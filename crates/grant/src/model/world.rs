use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use regrant_protocol::{ClientId, Resources, Scope};
use stateright::{Model, Property};

use super::action::{Action, Ask, Guise};
use super::breach::Breach;
use super::client::{Answer, Client, client_challenge};
use super::ledger::{Ledger, Sender};
use super::row::{self, NOW, Row};
use super::rule::Rule;
use super::server::Request;
use super::settings::{Restore, Settings};
use super::store::{Snapshot, Store};
use super::thief::{THIEF_CHALLENGE, Thief};
use super::token::Token;
use crate::{AuthorityTag, Grant, Policy, RotationMode, Verdict, Write};

/// The model: one grant and everybody around it.
#[derive(Clone)]
pub struct World {
    pub(super) settings: Settings,
    pub(super) rule: Arc<dyn Rule>,
    pub(super) template: Grant,
    pub(super) policy: Policy,
    pub(super) client_id: ClientId,
    pub(super) stranger_id: ClientId,
    pub(super) more_scope: Scope,
    pub(super) other_target: Resources,
    /// How often each verdict was given, over the whole exploration.
    pub(super) verdicts: Arc<[AtomicU64; Verdict::ALL.len()]>,
    /// Whether a state was shown to the checker in which the client holds the last generation; one is enough.
    has_shown_last: Arc<AtomicBool>,
}

/// Everything that differs from one moment to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub(super) row: Row,
    pub(super) store: Store,
    pub(super) client: Client,
    pub(super) thief: Thief,
    pub(super) ledger: Ledger,
}

impl State {
    /// The promise that this moment breaks.
    #[must_use]
    pub fn breach(&self) -> Option<Breach> {
        self.ledger.breach
    }
}

impl World {
    /// The world of `settings`, decided by `rule`.
    #[must_use]
    pub fn new(settings: Settings, rule: Arc<dyn Rule>) -> Self {
        Self {
            template: row::template(settings.client),
            policy: row::policy(&settings),
            client_id: row::client_id(),
            stranger_id: ClientId::parse("stranger").expect("a client identifier"),
            more_scope: Scope::parse("read write").expect("a scope"),
            other_target: Resources::parse(["https://other.example"]).expect("a resource"),
            verdicts: Arc::new(std::array::from_fn(|_| AtomicU64::new(0))),
            has_shown_last: Arc::new(AtomicBool::new(false)),
            settings,
            rule,
        }
    }

    /// The verdicts that were given so far.
    #[must_use]
    pub fn verdicts(&self) -> Vec<Verdict> {
        let is_given = |verdict: &Verdict| self.verdicts[*verdict as usize].load(Ordering::Relaxed) > 0;
        Verdict::ALL.into_iter().filter(is_given).collect()
    }

    /// What becomes of `state` when `action` happens, and the verdict if there was one.
    #[must_use]
    pub fn step(&self, state: &State, action: Action) -> (State, Option<Verdict>) {
        let mut next = *state;
        let verdict = self.act(&mut next, action);
        if next.ledger.breach.is_none() {
            self.observe(&mut next);
        }
        (next, verdict)
    }

    /// `action` in words, as it happens in `state`.
    pub(super) fn describe(&self, state: &State, action: Action) -> String {
        let about = |place: usize| state.client.tried(place).map_or_else(String::new, |tried| format!("{tried:?}"));
        match action {
            Action::Decide { place, node_kid } if self.settings.key_rotations_max > 0 => {
                format!("the server decides {} with keys up to {node_kid}", about(place))
            }
            Action::Decide { place, .. } => format!("the server decides {}", about(place)),
            Action::Hear { place } => format!("the client hears of {}", about(place)),
            Action::Shed { place } => format!("the server sheds {}", about(place)),
            Action::Tick
            | Action::Send { .. }
            | Action::Crash
            | Action::RotateKey
            | Action::TakeSnapshot
            | Action::PutBack
            | Action::EndRecovery
            | Action::Revoke
            | Action::RaiseCutoff
            | Action::SwitchClient
            | Action::SwitchUser
            | Action::Steal(_)
            | Action::Copy(_)
            | Action::Present { .. }
            | Action::Forge { .. } => format!("{action:?}"),
        }
    }

    /// Whether the client holds the last generation, and the checker was not told of it before: it would keep a path for
    /// every such state.
    fn shows_last_generation(&self, state: &State) -> bool {
        state.client.held.is_some_and(|token| token.generation == self.settings.generations_max)
            && !self.has_shown_last.swap(true, Ordering::Relaxed)
    }

    fn act(&self, state: &mut State, action: Action) -> Option<Verdict> {
        let settings = &self.settings;
        match action {
            Action::Tick => {
                state.row.tick(settings);
                state.store.tick(settings);
                state.client.tick(settings);
                state.ledger.tick(settings);
            }
            Action::Send { tab } => state.client.send(tab, settings),
            Action::Decide { place, node_kid } => {
                let tried = state.client.tried(place)?;
                let request = Request {
                    sender: Sender::Client,
                    token: tried.token,
                    challenge: tried.challenge(settings),
                    verifier: tried.verifier(settings),
                    ask: Ask::Granted,
                    is_forged: false,
                    is_awaited: state.client.waits_for(&tried),
                    node_kid,
                };
                let (verdict, answer) = self.decide(state, &request);
                state.client.answer(place, answer, settings);
                return Some(verdict);
            }
            Action::Shed { place } => state.client.answer(place, Answer::Unavailable, settings),
            Action::Hear { place } => state.client.hear(place, settings),
            Action::Crash => state.client.lose_everything(settings),
            Action::RotateKey => state.store.newest_kid += 1,
            Action::TakeSnapshot => {
                state.store.snapshot = Snapshot::Taken { row: state.row, cutoff: state.store.cutoff };
                state.ledger.take_copy(settings);
            }
            Action::PutBack => self.put_back(state),
            Action::EndRecovery => {
                state.store.recovers = None;
                state.ledger.end_recovery();
            }
            Action::Revoke => self.revoke(state),
            Action::RaiseCutoff => {
                state.store.cutoff += 1;
                state.ledger.end();
            }
            Action::SwitchClient => {
                state.store.client_enabled ^= true;
                state.ledger.is_excused = true;
            }
            Action::SwitchUser => {
                state.store.user_enabled ^= true;
                state.ledger.is_excused = true;
            }
            Action::Steal(token) => {
                state.thief.has_stolen = true;
                state.thief.tokens.insert(token);
            }
            Action::Copy(token) => {
                state.thief.has_stolen = true;
                state.thief.tokens.insert(token);
                state.thief.copied = Some(token);
            }
            Action::Present { token, guise, ask, node_kid } => {
                let (challenge, verifier) = match guise {
                    Guise::Plain => (0, 0),
                    Guise::OwnChallenge => (THIEF_CHALLENGE, THIEF_CHALLENGE),
                    Guise::CopiedChallenge => (client_challenge(token, 0), 0),
                };
                return Some(self.present(state, token, (challenge, verifier), ask, false, node_kid));
            }
            Action::Forge { generation } => {
                let token = Token { generation, ..state.row.current() };
                return Some(self.present(state, token, (0, 0), Ask::Granted, true, state.store.newest_kid));
            }
        }
        None
    }

    fn present(
        &self,
        state: &mut State,
        token: Token,
        (challenge, verifier): (u8, u8),
        ask: Ask,
        is_forged: bool,
        node_kid: u8,
    ) -> Verdict {
        let sender = Sender::Thief;
        let request = Request { sender, token, challenge, verifier, ask, is_forged, is_awaited: false, node_kid };
        let (verdict, answer) = self.decide(state, &request);
        if let Answer::Tokens(Some(given)) = answer {
            state.thief.tokens.insert(given);
        }
        verdict
    }

    fn revoke(&self, state: &mut State) {
        let grant = state.row.to_grant(&self.template);
        let surroundings = state.store.surroundings();
        let (_, write) = self.rule.revoke(&grant, &self.client_id, AuthorityTag::Valid, &surroundings, NOW);
        if let Write::Update(grant) = write {
            state.row = Row::from_grant(&grant, &self.settings);
        }
        state.ledger.end();
    }

    fn put_back(&self, state: &mut State) {
        let Snapshot::Taken { row, cutoff } = state.store.snapshot else { return };
        state.store.snapshot = Snapshot::NotTaken;
        state.store.restores += 1;
        // The server is down for longer than a request lives.
        state.client.lose_everything(&self.settings);
        let (was_revoked, cutoff_was) = (state.row.revoked, state.store.cutoff);
        (state.row, state.store.cutoff) = (row, cutoff);
        state.store.recovers = match self.settings.restore {
            Restore::Recover(public) => Some(public),
            Restore::Strict | Restore::Unnoticed | Restore::Never => None,
        };
        if matches!(self.settings.restore, Restore::Strict | Restore::Recover(_)) {
            state.store.epoch += 1;
            if self.rule.replays_journal() {
                // Ends and cutoffs are not undone.
                state.row.revoked |= was_revoked;
                state.store.cutoff = cutoff_was;
            }
        }
        state.ledger.put_back(state.store.epoch, state.client.held, &self.settings);
    }
}

impl Model for World {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            row: Row::first(&self.settings),
            store: Store::new(),
            client: Client::new(self.settings.first_token()),
            thief: Thief::new(),
            ledger: Ledger::new(&self.settings),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.ledger.breach.is_some() {
            return;
        }
        actions.push(Action::Tick);
        self.client_actions(state, actions);
        self.operator_actions(state, actions);
        self.thief_actions(state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        Some(self.step(state, action).0)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let promises = PROMISES.iter().map(|(breach, is_kept)| Property::always(breach.promise(), *is_kept));
        let mut properties: Vec<_> = promises.collect();
        if self.settings.rotation == RotationMode::Rotate {
            properties.push(Property::sometimes(LAST_GENERATION, Self::shows_last_generation));
        }
        properties
    }
}

/// What must happen in a world where tokens rotate, or the promises were watched in vain.
pub(super) const LAST_GENERATION: &str = "the client holds the last generation";

/// Whether a promise is kept at this moment.
type IsKept = fn(&World, &State) -> bool;

/// One property for every promise.
const PROMISES: &[(Breach, IsKept)] = &[
    (Breach::SuccessorLost, |_, state| state.breach() != Some(Breach::SuccessorLost)),
    (Breach::TwoStrings, |_, state| state.breach() != Some(Breach::TwoStrings)),
    (Breach::GenerationFell, |_, state| state.breach() != Some(Breach::GenerationFell)),
    (Breach::Resurrected, |_, state| state.breach() != Some(Breach::Resurrected)),
    (Breach::AnsweredAfterEnd, |_, state| state.breach() != Some(Breach::AnsweredAfterEnd)),
    (Breach::ReuseTolerated, |_, state| state.breach() != Some(Breach::ReuseTolerated)),
    (Breach::ClientLockedOut, |_, state| state.breach() != Some(Breach::ClientLockedOut)),
    (Breach::AnsweredAfterExpiry, |_, state| state.breach() != Some(Breach::AnsweredAfterExpiry)),
    (Breach::AnsweredOutsideWindow, |_, state| state.breach() != Some(Breach::AnsweredOutsideWindow)),
    (Breach::AnsweredToThief, |_, state| state.breach() != Some(Breach::AnsweredToThief)),
    (Breach::HandedOver, |_, state| state.breach() != Some(Breach::HandedOver)),
    (Breach::ForgeryAccepted, |_, state| state.breach() != Some(Breach::ForgeryAccepted)),
    (Breach::FormerTokenTaken, |_, state| state.breach() != Some(Breach::FormerTokenTaken)),
    (Breach::EndedInRecovery, |_, state| state.breach() != Some(Breach::EndedInRecovery)),
];
