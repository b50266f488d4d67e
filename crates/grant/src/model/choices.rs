use super::action::{Action, Ask, Guise};
use super::client::Stage;
use super::settings::{ClientType, Restore, Theft};
use super::store::Snapshot;
use super::token::Token;
use super::world::{State, World};

impl World {
    /// What the client, and the server with its requests, may do next.
    pub(super) fn client_actions(&self, state: &State, actions: &mut Vec<Action>) {
        let settings = &self.settings;
        let sends = settings.tabs.iter().filter(|tab| state.client.may_send(*tab, settings));
        actions.extend(sends.map(|tab| Action::Send { tab }));
        for (place, tried) in state.client.tries() {
            match tried.stage {
                Stage::Sent => {
                    actions.extend(state.store.nodes().map(|node_kid| Action::Decide { place, node_kid }));
                    if settings.sheds {
                        actions.push(Action::Shed { place });
                    }
                }
                Stage::Answered(_) => actions.push(Action::Hear { place }),
                Stage::Silent => {}
            }
        }
        if state.client.tries().any(|(_, tried)| tried.stage != Stage::Silent) {
            actions.push(Action::Crash);
        }
    }

    /// What operators and users may do next.
    pub(super) fn operator_actions(&self, state: &State, actions: &mut Vec<Action>) {
        let settings = &self.settings;
        if state.store.newest_kid < Token::FIRST.kid + settings.key_rotations_max {
            actions.push(Action::RotateKey);
        }
        match state.store.snapshot {
            Snapshot::NotTaken
                if settings.restore != Restore::Never && state.store.restores < settings.restores_max =>
            {
                actions.push(Action::TakeSnapshot);
            }
            Snapshot::Taken { .. } => actions.push(Action::PutBack),
            Snapshot::NotTaken => {}
        }
        if state.store.recovers.is_some() {
            actions.push(Action::EndRecovery);
        }
        if settings.revocation && !state.ledger.is_ended {
            actions.push(Action::Revoke);
        }
        if settings.cutoff && !state.ledger.is_ended {
            actions.push(Action::RaiseCutoff);
        }
        if settings.disabling {
            actions.extend([Action::SwitchClient, Action::SwitchUser]);
        }
    }

    /// What the thief may do next.
    pub(super) fn thief_actions(&self, state: &State, actions: &mut Vec<Action>) {
        let settings = &self.settings;
        if settings.theft == Theft::Never {
            return;
        }
        if !state.thief.has_stolen {
            actions.extend(state.client.stealable().map(Action::Steal));
            if settings.theft == Theft::Message {
                actions.extend(state.client.first_requests().map(Action::Copy));
            }
        }
        let asks: &[Ask] =
            if settings.probing { &[Ask::Granted, Ask::MoreScope, Ask::OtherTarget] } else { &[Ask::Granted] };
        let usable = state.thief.tokens.iter().filter(|token| token.generation < settings.generations_max);
        for token in usable {
            let guises: &[Guise] = match settings.client {
                ClientType::Challenge if state.thief.copied == Some(token) => {
                    &[Guise::Plain, Guise::OwnChallenge, Guise::CopiedChallenge]
                }
                ClientType::Challenge => &[Guise::Plain, Guise::OwnChallenge],
                ClientType::Confidential | ClientType::Bound | ClientType::Bearer => &[Guise::Plain],
            };
            for &guise in guises {
                for &ask in asks {
                    let presents = state.store.nodes().map(|node_kid| Action::Present { token, guise, ask, node_kid });
                    actions.extend(presents);
                }
            }
        }
        if settings.probing && state.row.generation < settings.generations_max {
            actions.extend((1..=state.row.generation).map(|generation| Action::Forge { generation }));
        }
    }
}
