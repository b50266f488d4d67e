use std::sync::atomic::Ordering;

use regrant_protocol::{Kid, Resources};

use super::action::Ask;
use super::client::Answer;
use super::ledger::{Exchange, Sender};
use super::row::{self, CLIENT_KEY, NOW, Row};
use super::settings::ClientType;
use super::token::Token;
use super::world::{State, World};
use crate::{
    AuthorityTag, Binding, ClientKind, Grant, GrantId, GrantSecret, RefreshFacts, RotationMode, Verdict, Write,
};

/// A request as the server receives it.
pub(super) struct Request {
    pub(super) sender: Sender,
    pub(super) token: Token,
    pub(super) challenge: u8,
    pub(super) verifier: u8,
    pub(super) ask: Ask,
    pub(super) is_forged: bool,
    pub(super) is_awaited: bool,
    pub(super) node_kid: u8,
}

impl World {
    /// One step of the store around the rule, as the server makes it.
    pub(super) fn decide(&self, state: &mut State, request: &Request) -> (Verdict, Answer) {
        let none = (Verdict::Unavailable, Answer::Unavailable);
        // An announced key that this node has not loaded: nothing can be said about the token.
        if state.store.alarmed || request.token.kid > request.node_kid {
            return none;
        }
        let before = state.row;
        let grant = before.to_grant(&self.template);
        let facts = self.facts(state, request, &grant);
        let decision = self.rule.decide(&grant, &facts, &state.store.surroundings(), &self.policy, NOW);
        let verdict = decision.verdict;
        let (after, answering) = match decision.write {
            Write::Update(grant) => (Row::from_grant(&grant, &self.settings), grant),
            Write::Insert(_) | Write::Nothing | Write::ListAccessToken { .. } => (before, grant),
        };
        // The successor cannot be made here: nothing is written.
        if verdict.is_success() && answering.kid.0 > request.node_kid {
            return none;
        }
        self.verdicts[verdict as usize].fetch_add(1, Ordering::Relaxed);
        let given = match self.settings.rotation {
            // Its string is its sender's, and of no key of ours.
            RotationMode::Reuse if verdict.is_success() && answering.has_imported_token() => Some(request.token),
            // A sibling is a grant of its own.
            _ if verdict == Verdict::Forked => None,
            RotationMode::Rotate | RotationMode::Reuse | RotationMode::Fork if verdict.is_success() => Some(Token {
                generation: after.generation,
                kid: self.rule.answer_kid(&answering, &facts).0,
                epoch: answering.epoch.0,
            }),
            RotationMode::Rotate | RotationMode::Reuse | RotationMode::Consume | RotationMode::Fork => None,
        };
        state.row = after;
        state.store.alarmed = verdict == Verdict::RolledBack;
        state.ledger.record(
            &Exchange {
                sender: request.sender,
                token: request.token,
                is_forged: request.is_forged,
                is_awaited: request.is_awaited,
                owes_verifier: request.challenge != 0
                    && request.challenge == before.retry_challenge()
                    && request.verifier == 0,
                verdict,
                before,
                after,
                given,
            },
            &self.settings,
        );
        let answer = if verdict == Verdict::Forked {
            // The sibling is a grant of its own; the client keeps what it presented.
            Answer::Tokens(Some(request.token))
        } else if verdict.is_success() {
            Answer::Tokens(given)
        } else if matches!(verdict, Verdict::Unavailable | Verdict::RolledBack) {
            Answer::Unavailable
        } else {
            Answer::Refused
        };
        (verdict, answer)
    }

    fn facts(&self, state: &State, request: &Request, grant: &Grant) -> RefreshFacts {
        let is_client = request.sender == Sender::Client;
        let (client_kind, proven_key) = match self.settings.client {
            ClientType::Confidential => (ClientKind::Confidential, Binding::None),
            ClientType::Bound if is_client => (ClientKind::Public, CLIENT_KEY),
            ClientType::Bound => (ClientKind::Public, Binding::DpopKey([2; 32])),
            ClientType::Challenge | ClientType::Bearer => (ClientKind::Public, Binding::None),
        };
        // He cannot authenticate as the client, but he may be a client himself.
        let is_stranger = !is_client && client_kind == ClientKind::Confidential;
        let mut facts = RefreshFacts {
            client: if is_stranger { self.stranger_id.clone() } else { self.client_id.clone() },
            client_kind,
            proven_key,
            generation: grant.generation,
            kid: grant.kid,
            epoch: grant.epoch,
            authority_tag: AuthorityTag::Invalid,
            retry_challenge: row::challenge(request.challenge),
            retry_verifier: row::challenge(request.verifier),
            scope: (request.ask == Ask::MoreScope).then(|| self.more_scope.clone()),
            resources: if request.ask == Ask::OtherTarget { self.other_target.clone() } else { Resources::none() },
            newest_kid: Kid(request.node_kid),
            sibling: (GrantId([0x21; 16]), GrantSecret::new([0x22; 16])),
            recovery: state.store.recovery(),
        };
        name_token(&mut facts, state, request, grant);
        facts
    }

    /// Asks for every issued token whether its proper sender would be accepted now.
    pub(super) fn observe(&self, state: &mut State) {
        if state.store.alarmed || !state.store.everybody_is_enabled() {
            return;
        }
        let grant = state.row.to_grant(&self.template);
        let surroundings = state.store.surroundings();
        let proper = |token| Request {
            sender: Sender::Client,
            token,
            challenge: 0,
            verifier: state.row.retry_challenge(),
            ask: Ask::Granted,
            is_forged: false,
            is_awaited: false,
            node_kid: state.store.newest_kid,
        };
        let mut facts = self.facts(state, &proper(self.settings.first_token()), &grant);
        for token in state.ledger.issued.iter() {
            name_token(&mut facts, state, &proper(token), &grant);
            let verdict = self.rule.decide(&grant, &facts, &surroundings, &self.policy, NOW).verdict;
            state.ledger.observe(token, verdict.is_success(), &self.settings);
        }
    }
}

/// Writes down what the presented token says of itself. An imported one is found by its string or not at all.
fn name_token(facts: &mut RefreshFacts, state: &State, request: &Request, grant: &Grant) {
    if request.token == Token::IMPORTED {
        return facts.present_imported_token(grant);
    }
    facts.generation = request.token.generation();
    facts.kid = request.token.kid();
    facts.epoch = request.token.epoch();
    facts.authority_tag = authority_tag(state, request);
}

/// What the server finds when it checks a tag: our tokens are valid under their own kid and epoch.
fn authority_tag(state: &State, request: &Request) -> AuthorityTag {
    if request.is_forged {
        AuthorityTag::Invalid
    } else if request.token.epoch > state.store.epoch {
        AuthorityTag::Unverifiable
    } else {
        AuthorityTag::Valid
    }
}
