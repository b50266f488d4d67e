use regrant_crypto::PASSWORD_BYTES_MAX;
use regrant_grant::{CODE_RETRY_SECONDS_MAX, ClientKind, RETRY_WINDOW_PROVEN_SECONDS, RotationMode};
use regrant_protocol::{
    GrantType, IdentifierError, Profile, REDIRECT_URI_BYTES_MAX, RedirectUri, Secret, TokenEndpointAuthMethod,
};
use regrant_store::{ChangeError, ClientSettings};
use serde_json::Value;

use crate::NEW_PASSWORD_CHARACTERS_MIN;
use crate::Overloaded;
use crate::shown_text::is_line;

/// The longest name that users know a client by, in characters.
pub const CLIENT_NAME_CHARACTERS_MAX: usize = 80;
/// The longest `aud`, in characters.
pub const AUDIENCE_CHARACTERS_MAX: usize = 255;

/// The longest text in the profile of a user, in characters; addresses of pages and pictures have [`REDIRECT_URI_BYTES_MAX`].
pub const PROFILE_CHARACTERS_MAX: usize = 200;

/// Where the secret of a new client comes from.
#[derive(Clone, Debug)]
pub enum Secrecy {
    /// A public client: it has none.
    Public,
    /// The server makes 256 random bits and shows them once.
    Generated,
    /// Somebody chose it.
    Chosen(Secret),
}

impl Secrecy {
    /// Which kind of client has such a secret (RFC 6749 §2.1).
    pub(crate) const fn kind(&self) -> ClientKind {
        match self {
            Self::Public => ClientKind::Public,
            Self::Generated | Self::Chosen(_) => ClientKind::Confidential,
        }
    }
}

/// Why a client or user cannot be registered as it is described.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationError {
    /// A public client with a method that needs a secret, or the other way round.
    #[error("a client has either a secret and client_secret_basic or client_secret_post, or no secret and none alone")]
    AuthMethods,
    /// RFC 6749 §4.4: only confidential clients act for themselves.
    #[error("a public client may not have client_credentials (RFC 6749 section 4.4)")]
    ClientCredentials,
    /// The default scope is not within the scope.
    #[error("the default scope is wider than the scope; name every default scope in scope too")]
    DefaultScope,
    /// `reuse` and `fork` need a sender that proves itself, or an operator who does without.
    #[error(
        "rotation reuse or fork needs a confidential client: the token of a public client must be rotated (RFC 9700 section \
         4.14.2), or allow_unsafe_rotation = true in its entry"
    )]
    Rotation,
    /// A public client proves with PKCE that it redeems its own code (RFC 9700 §2.1.1).
    #[error("a public client must use PKCE (RFC 9700 section 2.1.1); leave require_pkce = true")]
    PublicWithoutPkce,
    /// There is nowhere to send the user back to.
    #[error("a client with authorization_code needs a redirect URI, to which the user is sent back")]
    NoRedirectUri,
    /// RFC 8252 §8.4, §8.5: a secret that every copy of an app carries proves nothing.
    #[error(
        "redirect URI {0:?} belongs to an app on a device, which cannot keep a secret (RFC 8252 section 8.5); register a public client"
    )]
    PrivateUseScheme(RedirectUri),
    /// A longer time than a code may be redeemed again in.
    #[error("code_retry_seconds is {0}; the most is {CODE_RETRY_SECONDS_MAX}")]
    CodeRetrySeconds(u32),
    /// Without PKCE nothing tells the owner of a code from a thief.
    #[error(
        "code_retry_seconds needs require_pkce = true: only the verifier proves that a code is retried by its owner"
    )]
    CodeRetryWithoutPkce,
    /// A retry window that is longer than any proof allows.
    #[error("retry_window is {0} seconds; the most is {RETRY_WINDOW_PROVEN_SECONDS}")]
    RetryWindow(u32),
    /// The name of a client cannot be shown.
    #[error("{0:?} is not a name of 1 to {CLIENT_NAME_CHARACTERS_MAX} characters on one line")]
    ClientName(String),
    /// A page that the consent page links to is none.
    #[error("{0:?} is not the URL of a web page, such as https://photos.example/")]
    WebPage(&'static str, String),
    /// An audience cannot be one.
    #[error("{0:?} is not an audience of 1 to {AUDIENCE_CHARACTERS_MAX} characters on one line")]
    Audience(String),
    /// A claim of a profile cannot be shown.
    #[error("{0} is not a text of 1 to {1} characters on one line")]
    ProfileClaim(String, usize),
    /// A public client was to have a secret.
    #[error("a public client has no secret")]
    PublicSecret,
    /// The password has too few characters.
    #[error("the password has fewer than {NEW_PASSWORD_CHARACTERS_MIN} characters")]
    PasswordTooShort,
    /// The password is among those that an attacker tries first.
    #[error(
        "the password is easily guessed: it is a common one, a row of characters that follow from each other, or the name of the user or the server; choose another"
    )]
    PasswordGuessable,
    /// The secret or password cannot be used.
    #[error("the secret or password is empty or longer than {PASSWORD_BYTES_MAX} bytes")]
    Secret,
    /// The name cannot be used.
    #[error("{0:?} cannot be used as a name: {1}")]
    Name(String, IdentifierError),
    /// Too many hashes at once.
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    /// The name is taken, or the store failed.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

impl RegistrationError {
    /// The setting to change, as [`ClientSettings`] and its policy call it; `None` where it is none of the settings.
    #[must_use]
    pub fn setting(&self) -> Option<&'static str> {
        match self {
            Self::AuthMethods => Some("auth_methods"),
            Self::ClientCredentials => Some("grant_types"),
            Self::DefaultScope => Some("default_scope"),
            Self::Rotation => Some("rotation"),
            Self::PublicWithoutPkce => Some("require_pkce"),
            Self::NoRedirectUri | Self::PrivateUseScheme(_) => Some("redirect_uris"),
            Self::CodeRetrySeconds(_) | Self::CodeRetryWithoutPkce => Some("code_retry_seconds"),
            Self::RetryWindow(_) => Some("retry_window"),
            Self::ClientName(_) => Some("name"),
            Self::WebPage(setting, _) => Some(setting),
            Self::Audience(_) => Some("audience"),
            Self::ProfileClaim(..)
            | Self::PublicSecret
            | Self::PasswordTooShort
            | Self::PasswordGuessable
            | Self::Secret
            | Self::Name(..)
            | Self::Overloaded(_)
            | Self::Change(_) => None,
        }
    }
}

/// Every rule that the settings of such a client break together; registration refuses with the first.
#[must_use]
pub fn broken_rules(kind: ClientKind, settings: &ClientSettings) -> Vec<RegistrationError> {
    let is_public = kind == ClientKind::Public;
    let mut broken = Vec::new();
    let mut rule = |is_broken: bool, error: RegistrationError| {
        if is_broken {
            broken.push(error);
        }
    };

    let is_misfit = |method: &TokenEndpointAuthMethod| (*method == TokenEndpointAuthMethod::None) != is_public;
    let methods = &settings.auth_methods;
    rule(methods.is_empty() || methods.iter().any(is_misfit), RegistrationError::AuthMethods);
    let acts_for_itself = settings.grant_types.contains(&GrantType::ClientCredentials);
    rule(is_public && acts_for_itself, RegistrationError::ClientCredentials);
    rule(!settings.default_scope.is_within(&settings.scope), RegistrationError::DefaultScope);
    let keeps_its_token = matches!(settings.policy.rotation, RotationMode::Reuse | RotationMode::Fork);
    rule(is_public && keeps_its_token && !settings.allow_unsafe_rotation, RegistrationError::Rotation);

    let retry_window = settings.policy.retry_window_seconds.unwrap_or_default();
    rule(retry_window > RETRY_WINDOW_PROVEN_SECONDS, RegistrationError::RetryWindow(retry_window));

    // What people are shown.
    for name in settings.name.iter().filter(|name| !is_line(name, CLIENT_NAME_CHARACTERS_MAX)) {
        rule(true, RegistrationError::ClientName(name.clone()));
    }
    let pages =
        [("client_uri", &settings.client_uri), ("policy_uri", &settings.policy_uri), ("tos_uri", &settings.tos_uri)];
    for (setting, page) in pages {
        for page in page.iter().filter(|page| !is_web_page(page)) {
            rule(true, RegistrationError::WebPage(setting, page.clone()));
        }
    }
    for audience in settings.audience.iter().filter(|audience| !is_line(audience, AUDIENCE_CHARACTERS_MAX)) {
        rule(true, RegistrationError::Audience(audience.clone()));
    }

    // The rules of the authorization code.
    rule(is_public && !settings.require_pkce, RegistrationError::PublicWithoutPkce);
    let has_codes = settings.grant_types.contains(&GrantType::AuthorizationCode);
    rule(has_codes && settings.redirect_uris.is_empty(), RegistrationError::NoRedirectUri);
    for uri in &settings.redirect_uris {
        rule(!is_public && uri.is_private_use(), RegistrationError::PrivateUseScheme(uri.clone()));
    }
    let retry_seconds = settings.policy.code_retry_seconds;
    rule(retry_seconds > CODE_RETRY_SECONDS_MAX, RegistrationError::CodeRetrySeconds(retry_seconds));
    rule(retry_seconds > 0 && !settings.require_pkce, RegistrationError::CodeRetryWithoutPkce);
    broken
}

/// Admits only a profile that people can be shown.
///
/// # Errors
/// [`RegistrationError::ProfileClaim`] names the first claim that is none.
pub fn check_profile(profile: &Profile) -> Result<(), RegistrationError> {
    let Ok(Value::Object(claims)) = serde_json::to_value(profile) else {
        unreachable!("a profile is texts and numbers");
    };
    for (claim, value) in claims {
        let is_address = ["profile", "picture", "website"].contains(&claim.as_str());
        let characters_max = if is_address { REDIRECT_URI_BYTES_MAX } else { PROFILE_CHARACTERS_MAX };
        // Somebody may say that a claim is nothing.
        if value.as_str().is_some_and(|text| !text.is_empty() && !is_line(text, characters_max)) {
            return Err(RegistrationError::ProfileClaim(claim, characters_max));
        }
    }
    Ok(())
}

/// Whether the consent page may link to it: never a `javascript:` of somebody's.
fn is_web_page(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    host.is_some_and(|host| !host.is_empty() && !host.starts_with(':'))
        && text.len() <= REDIRECT_URI_BYTES_MAX
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte))
}

/// Admits only what obeys every rule.
pub(crate) fn check(kind: ClientKind, settings: &ClientSettings) -> Result<(), RegistrationError> {
    broken_rules(kind, settings).into_iter().next().map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use regrant_grant::Policy;
    use regrant_protocol::Scope;
    use regrant_store::ClientDefaults;

    #[test]
    fn every_broken_rule_is_told_with_the_setting_that_breaks_it() {
        let policy = Policy {
            rotation: RotationMode::Fork,
            code_retry_seconds: CODE_RETRY_SECONDS_MAX + 1,
            ..ClientDefaults::BUILT_IN.policy
        };
        let methods = vec![TokenEndpointAuthMethod::None, TokenEndpointAuthMethod::ClientSecretBasic];
        let grant_types = vec![GrantType::AuthorizationCode, GrantType::ClientCredentials];
        let mut settings = ClientSettings::new(methods, grant_types, Scope::empty(), policy);
        settings.default_scope = Scope::parse("read").unwrap();
        settings.require_pkce = false;

        let told: Vec<_> = broken_rules(ClientKind::Public, &settings).iter().map(RegistrationError::setting).collect();
        let code = Some("code_retry_seconds");
        let expected = ["auth_methods", "grant_types", "default_scope", "rotation", "require_pkce", "redirect_uris"];
        assert_eq!(told, expected.into_iter().map(Some).chain([code, code]).collect::<Vec<_>>());
        settings.allow_unsafe_rotation = true;
        let told = broken_rules(ClientKind::Public, &settings);
        assert_eq!(told.len(), expected.len() + 1, "all but the rotation: {told:?}");
        assert!(!told.contains(&RegistrationError::Rotation));

        settings.redirect_uris = vec![RedirectUri::parse("com.example.app:/callback").unwrap()];
        let told: Vec<_> =
            broken_rules(ClientKind::Confidential, &settings).iter().map(RegistrationError::setting).collect();
        assert_eq!(told, [Some("auth_methods"), Some("default_scope"), Some("redirect_uris"), code, code]);
    }

    #[test]
    fn what_people_are_shown_is_one_line_or_the_address_of_a_web_page() {
        let policy = ClientDefaults::BUILT_IN.policy;
        let settings = ClientSettings::new(vec![TokenEndpointAuthMethod::None], Vec::new(), Scope::empty(), policy);
        let told = |settings: &ClientSettings| {
            let broken = broken_rules(ClientKind::Public, settings);
            broken.iter().map(RegistrationError::setting).collect::<Vec<_>>()
        };
        let long = "x".repeat(CLIENT_NAME_CHARACTERS_MAX + 1);
        for (name, is_right) in
            [("Photos", true), ("Фото", true), ("", false), (" ", false), ("a\nb", false), (&long, false)]
        {
            let settings = ClientSettings { name: Some(name.to_owned()), ..settings.clone() };
            assert_eq!(told(&settings).is_empty(), is_right, "{name:?}");
        }
        for (page, is_right) in [
            ("https://photos.example/about?a=b#c", true),
            ("http://photos.example", true),
            ("javascript:alert(1)", false),
            ("https:///about", false),
            ("https://:443/", false),
            ("https://photos.example/\"><script>", false),
            ("https://photos example/", false),
            ("//photos.example", false),
        ] {
            let settings = ClientSettings { tos_uri: Some(page.to_owned()), ..settings.clone() };
            assert_eq!(told(&settings), if is_right { vec![] } else { vec![Some("tos_uri")] }, "{page:?}");
        }
        let mut settings = settings;
        settings.audience = vec!["api".to_owned(), String::new()];
        settings.policy.retry_window_seconds = Some(RETRY_WINDOW_PROVEN_SECONDS + 1);
        assert_eq!(told(&settings), [Some("retry_window"), Some("audience")]);
    }
}
