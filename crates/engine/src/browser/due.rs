use regrant_protocol::{ErrorCode, Prompt, Scope};
use regrant_store::{ClientSettings, Consent, ConsentMode, Session};

use super::errand::AuthorizationErrand;

/// The scope that asks for tokens to be used while the user is away (OpenID Connect Core §11).
pub(super) const OFFLINE_ACCESS: &str = "offline_access";

/// What is due before a code is given, or whether one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// The user has to enter name and password.
    LogIn,
    /// The user has to be asked.
    Consent,
    /// Nothing more: a code for this scope.
    Code(Scope),
    /// No code, and why (OpenID Connect Core §3.1.2.6).
    Refusal(ErrorCode, &'static str),
}

/// Decides what is due (OpenID Connect Core §3.1.2.1). `scope` is what the request comes to, `session` the living one of the
/// browser, and `given` what its user allowed the client before.
pub(super) fn due(
    errand: &AuthorizationErrand,
    scope: &Scope,
    session: Option<&Session>,
    given: Option<&Consent>,
    settings: &ClientSettings,
) -> Due {
    let Some(session) = session.filter(|session| errand.accepts_authentication(session.authenticated_at)) else {
        return if errand.is_silent() { LOGIN_REQUIRED } else { Due::LogIn };
    };
    if errand.expected_user.as_ref().is_some_and(|expected| *expected != session.user) {
        // The user may choose the account once; never another user's tokens.
        return if errand.is_silent() || errand.has_logged_in { OTHER_USER } else { Due::LogIn };
    }
    let is_allowed = |scope| !must_ask(errand, settings) && may_have(errand, scope, given, settings);
    if is_allowed(scope) {
        return Due::Code(scope.clone());
    }
    if !errand.is_silent() {
        return Due::Consent;
    }
    // OpenID Connect Core §11: without consent offline_access is ignored, and no reason to refuse the rest.
    let rest = scope.without(OFFLINE_ACCESS);
    if !rest.is_empty() && is_allowed(&rest) { Due::Code(rest) } else { CONSENT_REQUIRED }
}

/// Whether the user is asked whatever was allowed before.
fn must_ask(errand: &AuthorizationErrand, settings: &ClientSettings) -> bool {
    let prompts = &errand.request.prompts;
    // Who has just entered a name has selected the account.
    let must_select = prompts.contains(Prompt::SelectAccount) && !errand.has_logged_in;
    must_select || prompts.contains(Prompt::Consent) || settings.consent == ConsentMode::Always
}

/// Whether the client may have this without a question.
fn may_have(errand: &AuthorizationErrand, scope: &Scope, given: Option<&Consent>, settings: &ClientSettings) -> bool {
    if settings.consent == ConsentMode::Skip {
        return true;
    }
    // RFC 8252 §8.6: of a public client, only an https redirect URI tells who receives the code.
    let is_known_client = !settings.is_public() || errand.redirect_uri.starts_with("https:");
    is_known_client && given.is_some_and(|given| given.covers(scope, &errand.request.resources))
}

const LOGIN_REQUIRED: Due =
    Due::Refusal(ErrorCode::LoginRequired, "the user has to log in first; send the request without prompt=none");
const OTHER_USER: Due =
    Due::Refusal(ErrorCode::LoginRequired, "another user is logged in than the one whom id_token_hint names");
const CONSENT_REQUIRED: Due =
    Due::Refusal(ErrorCode::ConsentRequired, "the user has to consent first; send the request without prompt=none");

#[cfg(test)]
mod tests {
    use regrant_grant::{Policy, SessionId};
    use regrant_protocol::{
        AuthorizationRequest, ClientId, GrantType, Lifetime, Params, Resources, Subject, Timestamp,
        TokenEndpointAuthMethod,
    };
    use regrant_store::{ClientDefaults, Credential};

    use super::*;

    const ASKED_AT: i64 = 1_800_000_000;

    fn scope(text: &str) -> Scope {
        Scope::parse(text).unwrap()
    }

    fn subject(name: &str) -> Subject {
        Subject::parse(name).unwrap()
    }

    /// A request with these parameters beside those that every request has, sent to `redirect_uri`.
    fn errand(parameters: &str, redirect_uri: &str) -> AuthorizationErrand {
        let query = format!("response_type=code&{parameters}");
        let request = AuthorizationRequest::parse(&Params::parse(query.as_bytes()).unwrap()).unwrap();
        let client = ClientId::parse("app").unwrap();
        AuthorizationErrand::new(
            client,
            (redirect_uri.to_owned(), true),
            request,
            None,
            Timestamp::from_seconds(ASKED_AT),
        )
    }

    /// A session of `user`, who entered the password `seconds` before the request.
    fn session(user: &str, seconds: i64) -> Session {
        let authenticated_at = Timestamp::from_seconds(ASKED_AT - seconds);
        Session {
            id: SessionId([1; 16]),
            secret_digest: [2; 32],
            user: subject(user),
            created_at: authenticated_at,
            authenticated_at,
            expires_at: Timestamp::from_seconds(ASKED_AT + 60),
        }
    }

    fn consent(allowed: &str, resources: &[&str]) -> Consent {
        Consent {
            user: subject("alice"),
            client: ClientId::parse("app").unwrap(),
            scope: scope(allowed),
            resources: Resources::parse(resources.iter().copied()).unwrap(),
            given_at: Timestamp::from_seconds(0),
        }
    }

    fn settings(is_public: bool, consent: ConsentMode) -> ClientSettings {
        let policy = Policy {
            access_lifetime: Lifetime::from_seconds(300),
            idle_lifetime: Lifetime::Never,
            absolute_lifetime: Lifetime::Never,
            ..ClientDefaults::BUILT_IN.policy
        };
        let method = if is_public { TokenEndpointAuthMethod::None } else { TokenEndpointAuthMethod::ClientSecretBasic };
        let granted = scope("openid read offline_access");
        let mut settings = ClientSettings::new(vec![method], vec![GrantType::AuthorizationCode], granted, policy);
        settings.credential = (!is_public).then(|| Credential::new("hash".to_owned()));
        settings.consent = consent;
        settings
    }

    #[test]
    fn oidc_core_section_3_1_2_1_each_request_asks_for_what_it_needs() {
        let code = Due::Code(scope("openid"));
        let alice = || Some(session("alice", 100));
        let all = || Some(consent("openid read", &[]));
        for (why, parameters, who, given, expected) in [
            ("a first visit", "", None, None, Due::LogIn),
            ("a first visit of who is logged in", "", alice(), None, Due::Consent),
            ("a later visit", "", alice(), all(), code.clone()),
            ("less was allowed", "", alice(), Some(consent("read", &[])), Due::Consent),
            (
                "another resource was allowed",
                "resource=urn:a",
                alice(),
                Some(consent("openid", &["urn:b"])),
                Due::Consent,
            ),
            ("this resource was allowed", "resource=urn:a", alice(), Some(consent("openid", &["urn:a"])), code.clone()),
            ("none after a resource", "", alice(), Some(consent("openid", &["urn:a"])), Due::Consent),
            ("a resource after none", "resource=urn:a", alice(), all(), Due::Consent),
            ("silent, nobody", "prompt=none", None, None, LOGIN_REQUIRED),
            ("silent, not allowed", "prompt=none", alice(), None, CONSENT_REQUIRED),
            ("silent, allowed", "prompt=none", alice(), all(), code.clone()),
            ("silent, too old", "prompt=none&max_age=99", alice(), all(), LOGIN_REQUIRED),
            ("prompt=login", "prompt=login", alice(), all(), Due::LogIn),
            ("prompt=login in the same moment", "prompt=login", Some(session("alice", 0)), all(), Due::LogIn),
            ("prompt=consent", "prompt=consent", alice(), all(), Due::Consent),
            ("prompt=select_account", "prompt=select_account", alice(), all(), Due::Consent),
            ("young enough", "max_age=100", alice(), all(), code.clone()),
            ("too old", "max_age=99", alice(), all(), Due::LogIn),
            ("max_age=0 in the same moment", "max_age=0", Some(session("alice", 0)), all(), Due::LogIn),
        ] {
            let errand = errand(parameters, "https://app.example/cb");
            let settings = settings(false, ConsentMode::Remember);
            assert_eq!(due(&errand, &scope("openid"), who.as_ref(), given.as_ref(), &settings), expected, "{why}");
        }
    }

    #[test]
    fn oidc_core_section_11_offline_access_needs_consent() {
        let alice = session("alice", 100);
        let asked = scope("openid offline_access");
        let both = Due::Code(asked.clone());
        for (why, parameters, given, mode, expected) in [
            ("not allowed", "", Some("openid"), ConsentMode::Remember, Due::Consent),
            ("allowed", "", Some("openid offline_access"), ConsentMode::Remember, both.clone()),
            ("the operator allows", "", None, ConsentMode::Skip, both.clone()),
            ("silent, allowed", "prompt=none", Some("openid offline_access"), ConsentMode::Remember, both),
            ("silent, ignored", "prompt=none", Some("openid"), ConsentMode::Remember, Due::Code(scope("openid"))),
            ("silent, nothing allowed", "prompt=none", None, ConsentMode::Remember, CONSENT_REQUIRED),
            ("silent, always asked", "prompt=none", Some("openid"), ConsentMode::Always, CONSENT_REQUIRED),
        ] {
            let given = given.map(|given| consent(given, &[]));
            let errand = errand(parameters, "https://app.example/cb");
            let settings = settings(false, mode);
            assert_eq!(due(&errand, &asked, Some(&alice), given.as_ref(), &settings), expected, "{why}");
        }
    }

    #[test]
    fn rfc8252_section_8_6_a_client_that_anybody_can_claim_to_be_is_asked_for_every_time() {
        let (alice, given) = (session("alice", 100), consent("openid", &[]));
        for (redirect_uri, is_public, is_asked) in [
            ("https://app.example/cb", true, false),
            ("com.example.app:/cb", true, true),
            ("http://127.0.0.1:49152/cb", true, true),
            ("http://127.0.0.1:49152/cb", false, false),
        ] {
            let settings = settings(is_public, ConsentMode::Remember);
            let due = due(&errand("", redirect_uri), &scope("openid"), Some(&alice), Some(&given), &settings);
            assert_eq!(due == Due::Consent, is_asked, "{redirect_uri} {is_public}");
        }
    }

    #[test]
    fn oidc_core_section_3_1_2_2_another_user_than_the_expected_gets_nothing() {
        let given = consent("openid", &[]);
        let settings = settings(false, ConsentMode::Skip);
        for (user, parameters, has_logged_in, expected) in [
            ("alice", "", false, Due::Code(scope("openid"))),
            ("bob", "", false, Due::LogIn),
            ("bob", "", true, OTHER_USER),
            ("bob", "prompt=none", false, OTHER_USER),
        ] {
            let mut errand = errand(parameters, "https://app.example/cb");
            errand.expected_user = Some(subject("alice"));
            errand.has_logged_in = has_logged_in;
            let session = session(user, 100);
            let due = due(&errand, &scope("openid"), Some(&session), Some(&given), &settings);
            assert_eq!(due, expected, "{user} {parameters} {has_logged_in}");
        }
    }

    /// The next digit of `rest`, a number whose digits choose one of each list.
    fn choose<T: Copy>(rest: &mut usize, from: &[T]) -> T {
        let chosen = from[*rest % from.len()];
        *rest /= from.len();
        chosen
    }

    #[test]
    fn whatever_is_combined_nobody_gets_more_than_was_agreed_to() {
        let mut codes = 0;
        for number in 0.. {
            let mut rest: usize = number;
            let prompt = choose(
                &mut rest,
                &["", "none", "login", "consent", "select_account", "login consent", "login select_account"],
            );
            let max_age = choose(&mut rest, &["", "0", "60"]);
            let who = choose(&mut rest, &[None, Some(("alice", 30)), Some(("alice", 90)), Some(("bob", 0))]);
            let given = choose(&mut rest, &[None, Some("openid"), Some("openid offline_access")]);
            let mode = choose(&mut rest, &[ConsentMode::Remember, ConsentMode::Always, ConsentMode::Skip]);
            let (is_public, redirect_uri) =
                choose(&mut rest, &[(false, "com.a:/"), (true, "https://a/"), (true, "com.a:/")]);
            let expected_user = choose(&mut rest, &[None, Some("alice")]);
            let has_logged_in = choose(&mut rest, &[false, true]);
            if rest > 0 {
                break;
            }
            let mut errand = errand(&format!("prompt={}&max_age={max_age}", prompt.replace(' ', "+")), redirect_uri);
            errand.expected_user = expected_user.map(subject);
            errand.has_logged_in = has_logged_in;
            let (session, given) = (who.map(|(user, age)| session(user, age)), given.map(|given| consent(given, &[])));
            let settings = settings(is_public, mode);
            let due = due(&errand, &scope("openid offline_access"), session.as_ref(), given.as_ref(), &settings);

            let case = format!("{errand:?} {who:?} {given:?} {mode:?} {is_public} {due:?}");
            assert!(prompt != "none" || !matches!(due, Due::LogIn | Due::Consent), "{case}");
            assert!(prompt == "none" || due != CONSENT_REQUIRED, "{case}");
            let Due::Code(code) = due else { continue };
            codes += 1;
            let (user, age) = who.expect("a code needs a session");
            assert!(expected_user.is_none_or(|expected| expected == user), "{case}");
            assert!(has_logged_in || !prompt.contains("login"), "{case}");
            assert!(has_logged_in || max_age.is_empty() || (max_age == "60" && age <= 60), "{case}");
            assert!(!prompt.contains("consent") && mode != ConsentMode::Always, "{case}");
            assert!(has_logged_in || !prompt.contains("select_account"), "{case}");
            let is_allowed = given.is_some_and(|given| code.is_within(&given.scope));
            let is_known = !is_public || redirect_uri.starts_with("https:");
            assert!(mode == ConsentMode::Skip || (is_allowed && is_known), "{case}");
        }
        assert!(codes > 100, "the table has codes: {codes}");
    }
}
