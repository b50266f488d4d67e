use std::fmt;

use super::settings::{ClientType, QuietReading, Settings, Tabs};
use super::token::{Token, Tokens};

/// How many requests can be under way at once: those of one refresh, and late ones of the refresh before it.
const TRIES_MAX: usize = 4;

/// The honest client: what its tabs keep on disk, and its requests under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Client {
    /// The refresh token in its store; `None` when it was refused, or when none follows.
    pub(super) held: Option<Token>,
    /// The outstanding refresh of each tab; tabs that share the record have the first one in common.
    refreshes: [Option<Refresh>; 2],
    /// Sorted, so that two orders of the same requests are one state.
    tries: [Option<Try>; TRIES_MAX],
}

/// A refresh that has no answer yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Refresh {
    token: Token,
    /// Ticks since the first try was sent.
    age_ticks: u8,
    tries: u8,
}

/// One request, from the moment it is sent until nothing depends on it any more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Try {
    pub(super) stage: Stage,
    pub(super) token: Token,
    tab: u8,
    /// Ticks since it was sent.
    age_ticks: u8,
    is_first: bool,
    /// Whether the client, for all it knows, has to wait for it before the next refresh.
    delays: bool,
}

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Stage {
    /// On the way or in the server, not decided.
    Sent,
    /// Decided; the answer is on its way.
    Answered(Answer),
    /// Nobody will hear of it; the client cannot know.
    Silent,
}

/// What the client will hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Answer {
    /// 200, with a refresh token where the rotation mode gives one.
    Tokens(Option<Token>),
    /// The grant is no good any more.
    Refused,
    /// 503: no verdict.
    Unavailable,
}

impl fmt::Debug for Try {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = if self.is_first { "the first try" } else { "a later try" };
        write!(f, "{order} of tab {} with {:?}, {} ticks old", self.tab, self.token, self.age_ticks)?;
        match self.stage {
            Stage::Sent => Ok(()),
            Stage::Answered(answer) => write!(f, ": {answer:?}"),
            Stage::Silent => write!(f, ": silent"),
        }
    }
}

impl Try {
    /// The token in the message that is under way.
    fn carried(&self) -> Option<Token> {
        match self.stage {
            Stage::Sent => Some(self.token),
            Stage::Answered(Answer::Tokens(successor)) => successor,
            Stage::Answered(Answer::Refused | Answer::Unavailable) | Stage::Silent => None,
        }
    }

    /// The number of the retry challenge that it carries: one per refresh, and per tab that has a record of its own.
    /// 0 for none.
    pub(super) fn challenge(&self, settings: &Settings) -> u8 {
        match settings.client {
            ClientType::Challenge => client_challenge(self.token, self.tab),
            ClientType::Confidential | ClientType::Bound | ClientType::Bearer => 0,
        }
    }

    /// The challenge of the verifier that it carries, as every try after the first does; 0 for none.
    pub(super) fn verifier(&self, settings: &Settings) -> u8 {
        if self.is_first { 0 } else { self.challenge(settings) }
    }
}

/// The number of the challenge with which `tab` refreshes `token`; 0 is none.
pub(super) const fn client_challenge(token: Token, tab: u8) -> u8 {
    token.generation * 2 + tab + 1
}

impl Client {
    pub(super) const fn new(held: Token) -> Self {
        Self { held: Some(held), refreshes: [None; 2], tries: [None; TRIES_MAX] }
    }

    /// The requests under way, each with its place.
    pub(super) fn tries(&self) -> impl Iterator<Item = (usize, Try)> {
        self.tries.into_iter().enumerate().filter_map(|(place, tried)| Some((place, tried?)))
    }

    /// The request at this place.
    pub(super) fn tried(&self, place: usize) -> Option<Try> {
        self.tries.get(place).copied().flatten()
    }

    /// The tokens that lie in its store or are in a message.
    pub(super) fn stealable(&self) -> impl Iterator<Item = Token> {
        let mut tokens = Tokens::EMPTY;
        for token in self.held.into_iter().chain(self.tries.iter().flatten().filter_map(Try::carried)) {
            tokens.insert(token);
        }
        tokens.iter()
    }

    /// The tokens of first requests that are on the way.
    pub(super) fn first_requests(&self) -> impl Iterator<Item = Token> {
        let mut tokens = Tokens::EMPTY;
        for tried in self.tries.iter().flatten().filter(|tried| tried.stage == Stage::Sent && tried.is_first) {
            tokens.insert(tried.token);
        }
        tokens.iter()
    }

    /// Whether the retry rule lets `tab` send now: the first try of a refresh, or one more.
    pub(super) fn may_send(&self, tab: u8, settings: &Settings) -> bool {
        let Some(held) = self.held else { return false };
        if self.tries.iter().all(Option::is_some) {
            return false;
        }
        match self.refreshes[usize::from(tab)] {
            Some(refresh) => {
                refresh.tries < settings.retry.tries_max && refresh.age_ticks <= settings.retry.last_try_after_ticks
            }
            None => held.generation < settings.generations_max && self.is_quiet(tab),
        }
    }

    /// Whether no earlier try that the client knows of can still be decided.
    fn is_quiet(&self, tab: u8) -> bool {
        !self.tries.iter().flatten().any(|tried| tried.tab == tab && tried.delays)
    }

    /// `tab` sends a try, if [`Client::may_send`].
    pub(super) fn send(&mut self, tab: u8, settings: &Settings) {
        let held = self.held.expect("a client that may send holds a token");
        let begun = Refresh { token: held, age_ticks: 0, tries: 0 };
        let refresh = self.refreshes[usize::from(tab)].get_or_insert(begun);
        let (token, is_first) = (refresh.token, refresh.tries == 0);
        refresh.tries += 1;
        let free = self.tries.iter_mut().find(|tried| tried.is_none()).expect("a client that may send has room");
        *free = Some(Try { stage: Stage::Sent, token, tab, age_ticks: 0, is_first, delays: true });
        self.settle(settings);
    }

    /// Whether the refresh that `tried` belongs to has no answer yet.
    pub(super) fn waits_for(&self, tried: &Try) -> bool {
        self.refreshes[usize::from(tried.tab)].is_some_and(|refresh| refresh.token == tried.token)
    }

    /// The server answers the request at this place.
    pub(super) fn answer(&mut self, place: usize, answer: Answer, settings: &Settings) {
        if let Some(tried) = &mut self.tries[place] {
            tried.stage = Stage::Answered(answer);
        }
        self.settle(settings);
    }

    /// The answer to the request at this place arrives.
    pub(super) fn hear(&mut self, place: usize, settings: &Settings) {
        let Some(tried) = self.tries[place].take() else { return };
        if self.waits_for(&tried)
            && let Stage::Answered(answer) = tried.stage
        {
            match answer {
                Answer::Tokens(successor) => {
                    self.refreshes[usize::from(tried.tab)] = None;
                    self.held = successor;
                    if settings.retry.quiet == QuietReading::AnswerToLaterTry && tried.is_first {
                        self.tries.iter_mut().flatten().for_each(|tried| tried.delays = false);
                    }
                }
                Answer::Refused => {
                    self.refreshes[usize::from(tried.tab)] = None;
                    self.held = None;
                }
                Answer::Unavailable => {}
            }
        }
        self.settle(settings);
    }

    /// The server crashes: what it had not decided is lost, and so are the answers that nobody heard.
    pub(super) fn lose_everything(&mut self, settings: &Settings) {
        self.tries.iter_mut().flatten().for_each(|tried| tried.stage = Stage::Silent);
        self.settle(settings);
    }

    /// One tick passes.
    pub(super) fn tick(&mut self, settings: &Settings) {
        for refresh in self.refreshes.iter_mut().flatten() {
            refresh.age_ticks = (refresh.age_ticks + 1).min(settings.retry.last_try_after_ticks + 1);
        }
        for tried in self.tries.iter_mut().flatten() {
            tried.age_ticks += 1;
            tried.delays &= tried.age_ticks < settings.retry.quiet_ticks;
        }
        self.settle(settings);
    }

    /// Forgets what nothing depends on any more, so that states that behave alike are one.
    fn settle(&mut self, settings: &Settings) {
        for place in 0..TRIES_MAX {
            let Some(tried) = self.tries[place] else { continue };
            let stage = match tried.stage {
                Stage::Sent if tried.age_ticks >= settings.request_life_ticks => Stage::Silent,
                Stage::Answered(_) if !self.waits_for(&tried) => Stage::Silent,
                // An answer is on its way for less than a tick longer than its request could live.
                Stage::Answered(_) if tried.age_ticks > settings.request_life_ticks => Stage::Silent,
                stage @ (Stage::Sent | Stage::Answered(_) | Stage::Silent) => stage,
            };
            self.tries[place] = match stage {
                Stage::Silent if !tried.delays => None,
                Stage::Silent => Some(Try { stage, token: Token::NONE, is_first: false, ..tried }),
                Stage::Sent | Stage::Answered(_) => Some(Try { stage, ..tried }),
            };
        }
        self.tries.sort_unstable();
    }
}

impl Tabs {
    /// The tabs that act on their own.
    pub(super) fn iter(self) -> impl Iterator<Item = u8> {
        match self {
            Self::ShareRecord => 0..1,
            Self::TwoWithoutRecord => 0..2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUCCESSOR: Token = Token { generation: 2, ..Token::FIRST };

    fn settings() -> Settings {
        Settings::honest(ClientType::Challenge)
    }

    /// The place of the only request that is under way undecided.
    fn sent(client: &Client) -> usize {
        let places: Vec<_> = client.tries().filter(|(_, tried)| tried.stage == Stage::Sent).collect();
        assert_eq!(places.len(), 1);
        places[0].0
    }

    fn answer_and_hear(client: &mut Client, answer: Answer, settings: &Settings) {
        client.answer(sent(client), answer, settings);
        let place = client.tries().find(|(_, tried)| tried.stage == Stage::Answered(answer)).unwrap().0;
        client.hear(place, settings);
    }

    #[test]
    fn an_answer_to_the_only_try_lets_the_next_refresh_begin_at_once() {
        let settings = settings();
        let mut client = Client::new(Token::FIRST);
        client.send(0, &settings);
        answer_and_hear(&mut client, Answer::Tokens(Some(SUCCESSOR)), &settings);
        assert_eq!((client.held, client.may_send(0, &settings)), (Some(SUCCESSOR), true));
    }

    #[test]
    fn an_unanswered_try_keeps_the_next_refresh_waiting_until_it_is_20_seconds_old() {
        let settings = settings();
        let mut client = Client::new(Token::FIRST);
        client.send(0, &settings);
        client.lose_everything(&settings);
        client.send(0, &settings);
        answer_and_hear(&mut client, Answer::Tokens(Some(SUCCESSOR)), &settings);
        for expected in [false, false, true] {
            assert_eq!(client.may_send(0, &settings), expected);
            client.tick(&settings);
        }
    }

    #[test]
    fn the_first_try_carries_the_challenge_alone_and_every_later_one_the_verifier_too() {
        let settings = settings();
        let mut client = Client::new(Token::FIRST);
        client.send(0, &settings);
        let first = client.tries().next().unwrap().1;
        client.lose_everything(&settings);
        client.send(0, &settings);
        let later = client.tried(sent(&client)).unwrap();
        let challenge = client_challenge(Token::FIRST, 0);
        assert_eq!((first.challenge(&settings), first.verifier(&settings)), (challenge, 0));
        assert_eq!((later.challenge(&settings), later.verifier(&settings)), (challenge, challenge));
    }

    #[test]
    fn a_request_is_decided_while_it_is_younger_than_its_life_and_not_after() {
        let settings = settings();
        let mut client = Client::new(Token::FIRST);
        client.send(0, &settings);
        for expected in [true, true, false] {
            assert_eq!(client.tries().any(|(_, tried)| tried.stage == Stage::Sent), expected);
            client.tick(&settings);
        }
    }

    #[test]
    fn the_last_try_is_sent_early_enough_to_be_decided_in_the_window() {
        let settings = settings();
        let mut client = Client::new(Token::FIRST);
        client.send(0, &settings);
        for ticks in 0..settings.window_ticks {
            assert_eq!(client.may_send(0, &settings), ticks + 2 <= settings.window_ticks, "after {ticks} ticks");
            client.tick(&settings);
        }
    }

    #[test]
    fn a_refusal_ends_the_session_and_a_503_does_not() {
        for (answer, held) in [(Answer::Refused, None), (Answer::Unavailable, Some(Token::FIRST))] {
            let settings = settings();
            let mut client = Client::new(Token::FIRST);
            client.send(0, &settings);
            answer_and_hear(&mut client, answer, &settings);
            assert_eq!((client.held, client.may_send(0, &settings)), (held, held.is_some()), "{answer:?}");
        }
    }
}
