use regrant_grant::{ClientKind, Policy, RotationMode};

use crate::ForeignClient;

/// The policy of a client: what holds for all, and what it had for itself.
pub(super) fn policy(defaults: Policy, foreign: &ForeignClient, kind: ClientKind) -> (Policy, Vec<String>) {
    let mut remarks = Vec::new();
    let mut policy = defaults;
    let lifetimes = foreign.lifetimes;
    policy.access_lifetime = lifetimes.access_token.unwrap_or(policy.access_lifetime);
    policy.idle_lifetime = lifetimes.refresh_token.unwrap_or(policy.idle_lifetime);
    if let Some(own) = lifetimes.client_access_token
        && own != policy.access_lifetime
    {
        remarks.push(format!(
            "its access tokens for itself lived for {} seconds; from now on all of its access tokens live for {}",
            own.seconds(),
            policy.access_lifetime.seconds()
        ));
    }
    match foreign.rotation.renews {
        Some(true) => policy.rotation = RotationMode::Rotate,
        Some(false) => policy.rotation = RotationMode::Reuse,
        None => {}
    }
    let keeps_its_token = matches!(policy.rotation, RotationMode::Reuse | RotationMode::Fork);
    if keeps_its_token && kind == ClientKind::Public {
        policy.rotation = RotationMode::Rotate;
        remarks.push(
            "it has no secret, so its refresh token is replaced at every use (RFC 9700 section 4.14.2); rotation = \"reuse\" with \
             allow_unsafe_rotation = true leaves it as it was"
                .to_owned(),
        );
    }
    match foreign.rotation.extends {
        _ if foreign.rotation.ends_with_its_token() => policy.absolute_lifetime = policy.idle_lifetime,
        // The server's own way is the other one, and this client is the exception.
        Some(true) if policy.absolute_lifetime == defaults.idle_lifetime => {
            policy.absolute_lifetime = regrant_store::ClientDefaults::BUILT_IN.policy.absolute_lifetime;
        }
        Some(_) | None => {}
    }
    (policy, remarks)
}

#[cfg(test)]
mod tests {
    use regrant_protocol::Lifetime;
    use regrant_store::ClientDefaults;

    use super::*;
    use crate::load::client::tests::foreign;
    use crate::{ForeignLifetimes, ForeignRotation};

    const DAY: u32 = 86_400;

    #[test]
    fn what_a_client_had_for_itself_wins_over_what_holds_for_all() {
        let defaults = ClientDefaults::BUILT_IN.policy;
        let seconds = Lifetime::from_seconds;
        let (secret, public) = (ClientKind::Confidential, ClientKind::Public);
        let rotation = |renews, extends| ForeignRotation { renews, extends };
        let built_in = |policy: Policy| policy;
        type Change = fn(Policy) -> Policy;
        let one_day = |policy: Policy| Policy { absolute_lifetime: Lifetime::from_seconds(DAY), ..policy };
        let kept = |policy: Policy| Policy {
            rotation: RotationMode::Reuse,
            absolute_lifetime: Lifetime::from_seconds(DAY),
            ..policy
        };
        let cases: [(&str, ForeignRotation, ClientKind, Change, usize); 6] = [
            ("nothing", rotation(None, None), public, built_in, 0),
            ("no new token", rotation(Some(false), None), secret, kept, 0),
            ("no new token, whatever is said of its time", rotation(Some(false), Some(true)), secret, kept, 0),
            ("no new token without a secret", rotation(Some(false), None), public, one_day, 1),
            ("no new time", rotation(Some(true), Some(false)), secret, one_day, 0),
            ("new token, new time", rotation(Some(true), Some(true)), secret, built_in, 0),
        ];
        for (what, rotation, kind, change, remarks) in cases {
            let lifetimes = ForeignLifetimes {
                access_token: Some(seconds(600)),
                refresh_token: Some(seconds(DAY)),
                ..ForeignLifetimes::default()
            };
            let foreign = ForeignClient { rotation, lifetimes, ..foreign("shop") };
            let expected = Policy { access_lifetime: seconds(600), idle_lifetime: seconds(DAY), ..defaults };
            let (policy, said) = policy(defaults, &foreign, kind);
            assert_eq!((policy, said.len()), (change(expected), remarks), "{what}: {said:?}");
        }
    }

    #[test]
    fn a_client_that_extends_where_the_server_does_not_is_not_held_to_the_servers_end() {
        let built_in = ClientDefaults::BUILT_IN.policy;
        let capped = Policy { absolute_lifetime: built_in.idle_lifetime, ..built_in };
        let rotation = ForeignRotation { renews: Some(true), extends: Some(true) };
        let (policy, _) = policy(capped, &ForeignClient { rotation, ..foreign("shop") }, ClientKind::Confidential);
        assert_eq!(policy.absolute_lifetime, built_in.absolute_lifetime);
    }

    #[test]
    fn another_lifetime_for_itself_is_told() {
        let own = Some(Lifetime::from_seconds(60));
        let lifetimes = ForeignLifetimes { client_access_token: own, ..ForeignLifetimes::default() };
        let defaults = ClientDefaults::BUILT_IN.policy;
        let (_, said) = policy(defaults, &ForeignClient { lifetimes, ..foreign("shop") }, ClientKind::Confidential);
        assert!(said[0].contains("60 seconds") && said[0].contains("3600"), "{said:?}");
    }
}
