use regrant_admin::{KeysView, MasterKeyState, NodeView, SigningKeyState, StatusView, SweepState};

use crate::administration::api::AdminApi;
use crate::config::Config;

use super::check::Check;

const NAME: &str = "server";
const KEYS: &str = "keys";

/// Whether a server runs, is of this version, and does all its work.
pub(super) async fn check(api: &AdminApi) -> Vec<Check> {
    let status: StatusView = match api.get("/status").await {
        Ok(status) => status,
        Err(error) => return vec![Check::fail(NAME, format!("{error:#}"))],
    };
    let mut checks = Vec::new();
    if !api.is_served() {
        checks.push(Check::ok(NAME, "none runs; the store can be opened"));
    } else if status.version == env!("CARGO_PKG_VERSION") {
        checks.push(Check::ok(NAME, format!("version {} serves {}", status.version, status.issuer)));
    } else {
        let found = format!("version {} serves, and this is {}; restart it", status.version, env!("CARGO_PKG_VERSION"));
        checks.push(Check::warn(NAME, found));
    }
    checks.extend(status.nodes.iter().map(check_node));
    checks.extend(status.sweep.and_then(|sweep| check_sweeper(sweep.state)));
    checks.extend(check_keys(&status.keys));
    checks
}

/// Whether something signs, and what there is to make tokens of.
fn check_keys(keys: &KeysView) -> Vec<Check> {
    let signing = keys.signing.iter().filter(|key| key.state == SigningKeyState::Signing).count();
    let kids = |states: &[MasterKeyState]| {
        let of_states = keys.master.iter().filter(|key| states.contains(&key.state));
        of_states.map(|key| key.kid.to_string()).collect::<Vec<_>>()
    };
    let good = kids(&[MasterKeyState::Good, MasterKeyState::Newest]).len();
    let prepared = match kids(&[MasterKeyState::Prepared]) {
        kids if kids.is_empty() => String::new(),
        kids => format!("; prepared for the next rotation: {}", kids.join(", ")),
    };
    let mut checks = vec![match signing {
        0 => Check::fail(KEYS, "no key signs; see: regrant key list"),
        _ => Check::ok(KEYS, format!("{signing} keys sign, and master keys that are good: {good}{prepared}")),
    }];
    let missing = kids(&[MasterKeyState::Missing]);
    if !missing.is_empty() {
        let found = format!(
            "master key {} is in force, and the key file does not have it: whatever is made under it is answered 503 here; copy the \
             key file of a node that has it",
            missing.join(", ")
        );
        checks.push(Check::fail(KEYS, found));
    }
    checks
}

/// Which keys a node has, and when it was there last.
fn check_node(node: &NodeView) -> Check {
    let NodeView { name, version, newest_kid, seen_milliseconds_ago } = node;
    let seen = seen_milliseconds_ago / 1_000;
    Check::ok("node", format!("{name}, version {version}, has loaded master key {newest_kid}; seen {seen} s ago"))
}

/// Whether what ended long ago is swept.
fn check_sweeper(state: SweepState) -> Option<Check> {
    let found = match state {
        SweepState::Working => return None,
        SweepState::ClockDoubted => {
            "it has stopped: by this clock the last sweep was more than 30 days ago; set the clock right, or, when it is \
             right, run: regrant trust-clock"
        }
        SweepState::ClockJumped => {
            "it has stopped: the clock jumped, or the machine slept; set the clock right, and when it is right, run: \
             regrant trust-clock"
        }
    };
    Some(Check::fail("sweeper", found))
}

/// Whether the admin token travels where others can read it.
pub(super) fn check_listener(config: &Config) -> Option<Check> {
    let address = config.admin.listen?;
    config.admin.token.as_ref()?;
    (!address.ip().is_loopback()).then(|| {
        let found = format!(
            "the admin API listens on {address} in plain HTTP: whoever reads the network has the admin token; listen on \
             127.0.0.1, or let only a proxy with TLS reach it"
        );
        Check::warn("admin listener", found)
    })
}

#[cfg(test)]
mod tests {
    use regrant_admin::{MasterKeyView, SigningKeyView, Time};
    use regrant_protocol::Timestamp;

    use super::super::check::State;
    use super::*;

    #[test]
    fn only_keys_that_are_here_and_in_force_are_counted_as_good() {
        use MasterKeyState::{Good, Missing, Newest, Prepared};
        let at = || Time(Timestamp::from_seconds(1));
        let signing = SigningKeyView {
            key_id: "a".to_owned(),
            algorithm: "ES256".to_owned(),
            state: SigningKeyState::Signing,
            created_at: at(),
            signs_from: at(),
            withdrawn_at: None,
        };
        for (states, state, told) in [
            (vec![Newest], State::Ok, "1 keys sign, and master keys that are good: 1"),
            (vec![Good, Newest, Prepared], State::Ok, "are good: 2; prepared for the next rotation: 3"),
            (vec![Newest, Missing], State::Fail, "master key 2 is in force"),
            (vec![Missing, Missing], State::Ok, "are good: 0"),
        ] {
            let master = (1..).zip(states).map(|(kid, state)| MasterKeyView { kid, state }).collect();
            let checks = check_keys(&KeysView { master, signing: vec![signing.clone()] });
            assert!(checks.iter().any(|check| check.state == state && check.found.contains(told)), "{checks:?}");
        }
        let checks = check_keys(&KeysView { master: Vec::new(), signing: Vec::new() });
        assert_eq!(checks[0].state, State::Fail);
    }

    #[test]
    fn a_sweeper_that_has_stopped_is_a_failure_with_the_command_that_mends_it() {
        assert_eq!(check_sweeper(SweepState::Working), None);
        for (state, why) in [(SweepState::ClockDoubted, "30 days"), (SweepState::ClockJumped, "jumped")] {
            let check = check_sweeper(state).unwrap();
            assert_eq!(check, Check::fail("sweeper", check.found.clone()));
            assert!(check.found.contains(why) && check.found.contains("regrant trust-clock"), "{check:?}");
        }
    }
}
