use regrant_protocol::Timestamp;
use regrant_store::Client;

use super::error::RETRY_AFTER_SECONDS;

/// What the login page shows, posted to `/login` as `request`, `username`, `password` and `action=login` or `cancel`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginPrompt {
    /// The hidden field `request`.
    pub request: String,
    /// Who asks; `None` when the user wants to see their account.
    pub client: Option<ClientPresentation>,
    /// The name to begin with: who is logged in already, or `login_hint`.
    pub username: Option<String>,
    /// Who is known to the program around, but proved it before, has to prove it again: nothing older is accepted. `None`
    /// when any proof will do.
    pub authenticated_after: Option<Timestamp>,
    /// Why the page is shown again.
    pub problem: Option<LoginProblem>,
}

/// Why the login page is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginProblem {
    /// Unknown user or wrong password: one sentence for both.
    Credentials,
    /// The right password of a user who is locked or disabled.
    UserDisabled,
    /// Too many failures; the next try is allowed after so many seconds.
    TooManyFailures {
        /// Seconds until then.
        retry_after_seconds: u32,
    },
    /// Too many passwords are being checked.
    Overloaded,
    /// The page was open for too long, or comes from another browser: nothing was checked.
    Outdated,
    /// The browser brought no cookie of ours along, and cannot log anybody in without: nothing was checked.
    NoCookie,
    /// Whoever the page was for has been logged out meanwhile.
    LoggedOut,
}

impl LoginProblem {
    /// The HTTP status of the page.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Credentials | Self::UserDisabled | Self::Outdated | Self::NoCookie | Self::LoggedOut => 403,
            Self::TooManyFailures { .. } => 429,
            Self::Overloaded => 503,
        }
    }

    /// Seconds after which a new try makes sense.
    #[must_use]
    pub const fn retry_after_seconds(self) -> Option<u32> {
        match self {
            Self::TooManyFailures { retry_after_seconds } => Some(retry_after_seconds),
            Self::Overloaded => Some(RETRY_AFTER_SECONDS),
            Self::Credentials | Self::UserDisabled | Self::Outdated | Self::NoCookie | Self::LoggedOut => None,
        }
    }
}

/// What the consent page shows, posted to `/consent` as `request`, `allow_0`, `allow_1` … with a scope name each, and
/// `decision=allow`, `deny` or `switch`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentPrompt {
    /// The hidden field `request`.
    pub request: String,
    /// Who asks.
    pub client: ClientPresentation,
    /// The login name of who is asked.
    pub username: String,
    /// What is asked for, in order; without `offline_access` where that is no choice.
    pub scopes: Vec<ConsentScope>,
    /// When the access ends that the client is to get.
    pub access_end: AccessEnd,
    /// The resource servers that the token is for (RFC 8707).
    pub resources: Vec<String>,
    /// The page was open for too long, or comes from another browser: nothing was granted, and it is asked again.
    pub is_outdated: bool,
}

/// When the access of a client ends, as far as its user decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessEnd {
    /// With its access token: it gets no refresh token to go on with.
    WithAccessToken,
    /// When the user disconnects it.
    WhenDisconnected,
    /// When the user logs out, or disconnects it before.
    WhenLoggedOut,
    /// When the user disconnects it, if the box of `offline_access` is ticked; otherwise when they log out.
    AsTicked,
}

/// One line of the consent page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentScope {
    /// The scope name.
    pub name: String,
    /// It cannot be left out, and its box, if there is one, cannot be unticked: `openid`.
    pub is_required: bool,
}

/// What the page that asks whether to log out shows, posted to `/logout` as `form` and `decision=log-out` or `stay`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogOutPrompt {
    /// The hidden field `form`.
    pub form: String,
    /// The login name of who is logged in.
    pub username: String,
    /// Who asks, where that is known.
    pub client: Option<ClientPresentation>,
    /// The page was open for too long, or comes from another browser: nothing was done, and it is asked again.
    pub is_outdated: bool,
}

/// A client as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientPresentation {
    /// Its name, or its identifier when it has none.
    pub name: String,
    /// Its home page.
    pub client_uri: Option<String>,
    /// Its privacy policy.
    pub policy_uri: Option<String>,
    /// Its terms of service.
    pub tos_uri: Option<String>,
    /// Where the browser goes afterwards, for people (the host, or the scheme of an app); `None` when it stays here.
    pub destination: Option<String>,
    /// The scheme of that address, which the page's `form-action` has to admit.
    pub destination_scheme: Option<String>,
}

impl ClientPresentation {
    /// A client that the browser goes to at `destination` afterwards, where it leaves us.
    pub(super) fn new(client: &Client, destination: Option<&str>) -> Self {
        let settings = &client.settings;
        let scheme = destination.and_then(|uri| uri.split_once(':')).map(|(scheme, _)| scheme);
        Self {
            name: settings.name.clone().unwrap_or_else(|| client.id.to_string()),
            client_uri: settings.client_uri.clone(),
            policy_uri: settings.policy_uri.clone(),
            tos_uri: settings.tos_uri.clone(),
            destination: destination.map(|uri| place(uri).to_owned()),
            destination_scheme: scheme.map(str::to_owned),
        }
    }
}

/// What people recognise of a redirect URI: the host, or the scheme of an app.
fn place(uri: &str) -> &str {
    match uri.split_once("://") {
        Some(("https" | "http", rest)) => &rest[..rest.find(['/', '?']).unwrap_or(rest.len())],
        _ => uri.split_once(':').map_or(uri, |(scheme, _)| scheme),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_see_the_host_or_the_scheme_of_an_app() {
        for (uri, expected) in [
            ("https://app.example/cb?x=/y", "app.example"),
            ("https://app.example:8443", "app.example:8443"),
            ("https://app.example?x", "app.example"),
            ("http://127.0.0.1:49152/cb", "127.0.0.1:49152"),
            ("http://[::1]/cb", "[::1]"),
            ("com.example.app:/cb", "com.example.app"),
            ("com.example.app://host/cb", "com.example.app"),
        ] {
            assert_eq!(place(uri), expected, "{uri}");
        }
    }
}
