mod options;

use crate::settings::settler::{Never, Settler};

pub(super) use options::{OPTIONS, seconds, switch, text};

/// What the options mean, and what the library does without them.
pub(super) fn settle(settler: &mut Settler<'_>) {
    let refresh = rotation(settler);
    settler.client("rotation", refresh.mode, refresh.from);
    lifetimes(settler, &refresh, "access_lifetime", "refresh_token_lifetime");
    token_format(settler, "use_jwt_access_tokens");
    requests(settler, "allow_credentials_in_request_body", "allow_public_clients");
    let pkce = settler.switch("enforce_pkce");
    settler.client("require_pkce", pkce, settler.given("enforce_pkce"));
}

/// What a refresh does, and the option that decides it.
pub(super) struct Refresh {
    pub(super) mode: &'static str,
    pub(super) from: Option<&'static str>,
}

impl Refresh {
    /// Of the two options of the library, as they reach the grant.
    pub(super) const fn of(always_issues: bool, unsets: bool, from: Option<&'static str>) -> Self {
        let mode = match (always_issues, unsets) {
            (true, true) => "rotate",
            (true, false) => "fork",
            (false, true) => "consume",
            (false, false) => "reuse",
        };
        Self { mode, from }
    }
}

fn rotation(settler: &mut Settler<'_>) -> Refresh {
    let (always, unset) = (settler.given(ALWAYS), settler.given(UNSET));
    let always_issues = settler.switch(ALWAYS);
    // `Server` passes both on with its own defaults, so that only a grant of one's own meets the rule for older programs.
    let is_by_hand = settler.switch("refresh_token_grant_added_by_hand");
    let follows = is_by_hand && always.is_some() && unset.is_none();
    if !is_by_hand && always.is_some() && unset.is_none() && !always_issues {
        settler.note(
            ALWAYS,
            "false alone lets a refresh token be used once, as an option of Server does; where it was given to new RefreshToken($storage, \
             …), the token can be used again and again: say refresh_token_grant_added_by_hand = true",
        );
    }
    let unsets = if follows { always_issues } else { settler.switch(UNSET) };
    Refresh::of(always_issues, unsets, always.or(unset))
}

/// The lifetimes and the scope of tokens and grants. A refresh token that stays the same ends when it would have, and keeps its
/// scope; a new one lives its full time, without an end to the row of them, and has the scope of the request that gave it.
pub(super) fn lifetimes(
    settler: &mut Settler<'_>,
    refresh: &Refresh,
    access: &'static str,
    refresh_token: &'static str,
) {
    if let Some(seconds) = settler.lifetime(access, Never::NotThere) {
        settler.client("access_lifetime", seconds, settler.given(access));
    }
    let stays = refresh.mode == "reuse";
    if let Some(seconds) = settler.lifetime(refresh_token, Never::ZeroOrLess) {
        let from = settler.given(refresh_token);
        settler.client("idle_lifetime", seconds, from);
        let absolute = if stays { seconds } else { 0 };
        settler.client("absolute_lifetime", absolute, from.or(refresh.from).filter(|_| stays));
    }
    let narrowed = if stays { "access_token" } else { "grant" };
    settler.client("scope_narrowing", narrowed, refresh.from.filter(|_| stays));
    settler.client("old_access_tokens", "keep", None);
}

/// What access tokens look like.
pub(super) fn token_format(settler: &mut Settler<'_>, use_jwt: &'static str) {
    let is_jwt = settler.switch(use_jwt);
    settler.client("access_token_format", if is_jwt { "jwt_rs256" } else { "opaque" }, settler.given(use_jwt));
    if is_jwt {
        // The library spells it so with these tokens alone.
        settler.dialect("token_type", "bearer", settler.given(use_jwt));
        settler.loss(
            use_jwt,
            "the tokens have the claims of RFC 9068 (client_id, and aud for the API), and not the library's (aud for the client)",
        );
    }
}

/// How clients may come, where that was said.
pub(super) fn requests(settler: &mut Settler<'_>, body: &'static str, public: &'static str) {
    for (key, option) in [("credentials_in_body", body), ("public_clients", public)] {
        if let Some(from) = settler.given(option) {
            let is_allowed = settler.switch(option);
            settler.dialect(key, is_allowed, Some(from));
        }
    }
}

const ALWAYS: &str = "always_issue_new_refresh_token";
const UNSET: &str = "unset_refresh_token_after_use";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::settler::checks::{clients, dialect, losses, refused};
    use crate::settings::{OptionValue, System};

    const HAND: (&str, OptionValue) = ("refresh_token_grant_added_by_hand", OptionValue::Switch(true));

    fn said(name: &'static str, value: impl Into<OptionValue>) -> (&'static str, OptionValue) {
        (name, value.into())
    }

    #[test]
    fn what_the_library_does_by_itself() {
        assert_eq!(
            clients(System::Bshaffer, &[]),
            [
                "rotation = consume",
                "access_lifetime = 3600",
                "idle_lifetime = 1209600",
                "absolute_lifetime = 0",
                "scope_narrowing = grant",
                "old_access_tokens = keep",
                "access_token_format = opaque",
                "require_pkce = false",
            ]
        );
        assert!(dialect(System::Bshaffer, &[]).is_empty());
    }

    #[test]
    fn the_two_options_of_the_refresh_token_grant_decide_the_rotation() {
        let (always, unset) = (|is_on: bool| said(ALWAYS, is_on), |is_on: bool| said(UNSET, is_on));
        for (given, rotation) in [
            (vec![always(false), unset(true)], "consume"),
            (vec![always(true), unset(true)], "rotate"),
            (vec![always(true), unset(false)], "fork"),
            (vec![always(false), unset(false)], "reuse"),
            // As options of Server, which has a default for each.
            (vec![always(true)], "rotate"),
            (vec![always(false)], "consume"),
            (vec![unset(true)], "consume"),
            (vec![unset(false)], "reuse"),
            // As those of a grant of one's own: the rule for older programs.
            (vec![HAND], "consume"),
            (vec![HAND, always(true)], "rotate"),
            (vec![HAND, always(false)], "reuse"),
            (vec![HAND, unset(false)], "reuse"),
            (vec![HAND, always(false), unset(true)], "consume"),
            (vec![HAND, always(true), unset(false)], "fork"),
        ] {
            let from = given.iter().find(|(name, _)| *name != HAND.0).map(|(name, _)| format!(" from {name}"));
            let expected = format!("rotation = {rotation}{}", from.unwrap_or_default());
            assert_eq!(clients(System::Bshaffer, &given)[0], expected, "{given:?}");
        }
    }

    #[test]
    fn an_ambiguous_rotation_is_remarked() {
        let is_told = |given: &[(&str, OptionValue)]| {
            System::Bshaffer.settings(given).remarks.iter().any(|remark| remark.text.contains("added_by_hand"))
        };
        assert!(is_told(&[said(ALWAYS, false)]));
        for given in
            [vec![said(ALWAYS, true)], vec![said(ALWAYS, false), said(UNSET, true)], vec![HAND, said(ALWAYS, false)]]
        {
            assert!(!is_told(&given), "{given:?}");
        }
    }

    #[test]
    fn every_option_that_has_a_counterpart_is_that() {
        for (given, line) in [
            (said("refresh_token_lifetime", 2_419_200), "idle_lifetime = 2419200 from refresh_token_lifetime"),
            (said("refresh_token_lifetime", 0), "idle_lifetime = 0 from refresh_token_lifetime"),
            (("refresh_token_lifetime", OptionValue::Number(-1)), "idle_lifetime = 0 from refresh_token_lifetime"),
            (said("access_lifetime", 60), "access_lifetime = 60 from access_lifetime"),
            (said("use_jwt_access_tokens", true), "access_token_format = jwt_rs256 from use_jwt_access_tokens"),
            (said("enforce_pkce", true), "require_pkce = true from enforce_pkce"),
        ] {
            let lines = clients(System::Bshaffer, std::slice::from_ref(&given));
            assert!(lines.iter().any(|found| found == line), "{given:?}: {lines:?}");
        }
        for (given, line) in [
            (
                said("allow_credentials_in_request_body", false),
                "credentials_in_body = false from allow_credentials_in_request_body",
            ),
            (said("allow_public_clients", false), "public_clients = false from allow_public_clients"),
            (said("use_jwt_access_tokens", true), "token_type = bearer from use_jwt_access_tokens"),
        ] {
            assert_eq!(dialect(System::Bshaffer, &[given]), [line]);
        }
    }

    #[test]
    fn a_token_that_stays_the_same_ends_when_it_would_have() {
        let reusable = [said(UNSET, false), said("refresh_token_lifetime", 600)];
        let lines = clients(System::Bshaffer, &reusable);
        assert!(lines.contains(&"absolute_lifetime = 600 from refresh_token_lifetime".to_owned()), "{lines:?}");
        let forked = [said(ALWAYS, true), said(UNSET, false), said("refresh_token_lifetime", 600)];
        let lines = clients(System::Bshaffer, &forked);
        assert!(lines.contains(&"absolute_lifetime = 0".to_owned()), "{lines:?}");
    }

    #[test]
    fn a_token_that_stays_the_same_keeps_its_scope() {
        for (given, expected) in [
            (vec![said(UNSET, false)], "scope_narrowing = access_token from unset_refresh_token_after_use"),
            (vec![HAND, said(ALWAYS, false)], "scope_narrowing = access_token from always_issue_new_refresh_token"),
            (vec![said(ALWAYS, true)], "scope_narrowing = grant"),
            (vec![said(ALWAYS, true), said(UNSET, false)], "scope_narrowing = grant"),
            (vec![], "scope_narrowing = grant"),
        ] {
            let lines = clients(System::Bshaffer, &given);
            assert!(lines.iter().any(|line| line == expected), "{given:?}: {lines:?}");
        }
    }

    #[test]
    fn tokens_that_are_dead_when_they_are_issued_are_refused() {
        for (seconds, is_refused) in [(0, true), (-1, true), (1, false), (i64::from(u32::MAX) + 1, true)] {
            let given = [("access_lifetime", OptionValue::Number(seconds))];
            assert_eq!(refused(System::Bshaffer, &given) == ["access_lifetime"], is_refused, "{seconds}");
        }
    }

    #[test]
    fn what_differs_from_what_regrant_always_does_is_a_loss() {
        for (name, same, other) in [
            ("allow_implicit", OptionValue::Switch(false), OptionValue::Switch(true)),
            ("require_exact_redirect_uri", OptionValue::Switch(true), OptionValue::Switch(false)),
            ("id_lifetime", OptionValue::Number(3600), OptionValue::Number(60)),
            ("token_bearer_header_name", "Bearer".into(), "OAuth".into()),
        ] {
            assert!(losses(System::Bshaffer, &[(name, same)]).is_empty(), "{name}");
            assert_eq!(losses(System::Bshaffer, &[(name, other)]), [name]);
        }
        let needless =
            [said("use_openid_connect", true), said("client_table", "clients"), said("enforce_state", false)];
        assert!(losses(System::Bshaffer, &needless).is_empty());
    }
}
