use std::fmt;
use std::time::{Duration, Instant};

use regrant_protocol::{Scope, Secret};
use serde::Deserialize;

use crate::issuer_identifier::check_secure;
use crate::token_request::{unanswered, with_scope};
use crate::{Credential, Delivery, DpopKey, Failure, OAuthClient, Temporary, Timer, UrlError, classify};

/// A login that a person finishes on another device (RFC 8628): show the code and the address, then
/// [`DeviceAuthorization::finish`].
pub struct DeviceAuthorization {
    client: OAuthClient,
    scope: Scope,
    dpop_key: Option<DpopKey>,
    device_code: Secret,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: Duration,
    began: Instant,
    interval: Duration,
}

/// Why a login on another device gave no tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceAuthorizationError {
    /// The server's metadata names no such endpoint.
    #[error("{0} names no device authorization endpoint: nobody can log in there on another device")]
    NotOffered(String),
    /// The answer lacks a code or an address, or has one that a person cannot be shown.
    #[error("the server's answer has no usable {0:?}")]
    Member(&'static str),
    /// The address would send a person's password in the clear.
    #[error("the server names an address that cannot be used: {0}")]
    Address(#[from] UrlError),
    /// The person said no.
    #[error("the login was refused on the other device")]
    Denied,
    /// The time is over, and the server had not answered the last time that it was asked: somebody may have finished it.
    #[error("the time for the login is over, and the server could not be asked at its end: {0}; begin it again")]
    Unanswered(Temporary),
    /// Nobody finished it in time.
    #[error("nobody finished the login in time; begin it again")]
    Expired,
    /// The server gave no tokens.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl OAuthClient {
    /// Begins a login that a person finishes on another device.
    ///
    /// ```no_run
    /// # async fn example(client: regrant_client::OAuthClient) -> Result<(), Box<dyn std::error::Error>> {
    /// use regrant_client::TokioTimer;
    /// use regrant_protocol::Scope;
    ///
    /// let login = client.device_authorization(&Scope::parse("read")?).await?;
    /// println!("Open {} and enter {}", login.verification_uri(), login.user_code());
    /// let credential = login.finish(&TokioTimer).await?;
    /// # drop(credential);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the server has no place for it, or does not begin one.
    pub async fn device_authorization(&self, scope: &Scope) -> Result<DeviceAuthorization, DeviceAuthorizationError> {
        let Some(endpoint) = self.provider().device_authorization_endpoint.clone() else {
            return Err(DeviceAuthorizationError::NotOffered(self.provider().issuer.as_str().to_owned()));
        };
        let mut form = with_scope(Vec::new(), scope);
        form.extend(self.resources().iter().map(|resource| ("resource", resource.as_str())));
        let answer = self.post(&endpoint, form, None).await.map_err(unanswered)?;
        let status = answer.status().as_u16();
        let members: Members = match serde_json::from_slice(answer.body()) {
            Ok(members) if status == 200 => members,
            _ => return Err(refusal(status, &answer).into()),
        };
        members.check(self, scope)
    }
}

/// Why a login did not begin.
fn refusal(status: u16, answer: &http::Response<Vec<u8>>) -> Failure {
    // There are no tokens in this answer, whatever else it is.
    classify(status, answer.headers(), answer.body()).err().unwrap_or_else(|| {
        let cause = format!("status {status} without a device code in JSON");
        Failure::Temporary(Temporary { cause, retry_after: None, delivery: Delivery::Unanswered, error: None })
    })
}

impl DeviceAuthorization {
    /// What the person enters, as the server wants it to be shown.
    #[must_use]
    pub fn user_code(&self) -> &str {
        &self.user_code
    }

    /// Where the person enters it: an `https://` address.
    #[must_use]
    pub fn verification_uri(&self) -> &str {
        &self.verification_uri
    }

    /// The same with the code in it, for a QR code or a browser that can be opened; the code is shown all the same.
    #[must_use]
    pub fn verification_uri_complete(&self) -> Option<&str> {
        self.verification_uri_complete.as_deref()
    }

    /// How long the person has, from the beginning.
    #[must_use]
    pub const fn expires_in(&self) -> Duration {
        self.expires_in
    }

    /// Asks the server, as often as it allows, until the person has finished or the time is over.
    ///
    /// A server that is busy or does not answer is asked again, less often each time.
    ///
    /// # Errors
    /// When the person refuses, nobody finishes in time, or the server gives no tokens.
    pub async fn finish(self, timer: &dyn Timer) -> Result<Credential, DeviceAuthorizationError> {
        let mut interval = self.interval;
        let mut pause = interval;
        let mut last_failure = None;
        loop {
            let passed = self.client.clock().monotonic().saturating_duration_since(self.began);
            if passed + pause >= self.expires_in {
                return Err(
                    last_failure.map_or(DeviceAuthorizationError::Expired, DeviceAuthorizationError::Unanswered)
                );
            }
            timer.sleep(pause).await;
            let answer = self.poll().await;
            last_failure = match &answer {
                Err(Failure::Temporary(temporary)) if temporary.error.as_deref() != Some("slow_down") => {
                    Some(temporary.clone())
                }
                _ => None,
            };
            match answer {
                Err(Failure::Configuration(error)) if error.error == "authorization_pending" => pause = interval,
                Err(Failure::Temporary(temporary)) if temporary.error.as_deref() == Some("slow_down") => {
                    interval = (interval + SLOW_DOWN).min(INTERVAL_MAX);
                    pause = interval.max(temporary.retry_after.unwrap_or_default());
                }
                // RFC 8628 §3.5: less often, and the more often that happens the less.
                Err(Failure::Temporary(temporary)) => {
                    let doubled = pause.saturating_mul(2).min(INTERVAL_MAX);
                    pause = doubled.max(temporary.retry_after.unwrap_or_default());
                }
                Err(Failure::Configuration(error)) if error.error == "access_denied" => {
                    return Err(DeviceAuthorizationError::Denied);
                }
                Err(Failure::Configuration(error)) if error.error == "expired_token" => {
                    return Err(DeviceAuthorizationError::Expired);
                }
                Err(failure) => return Err(failure.into()),
                Ok(credential) => return Ok(credential),
            }
        }
    }

    async fn poll(&self) -> Result<Credential, Failure> {
        let form = vec![("grant_type", GRANT_TYPE), ("device_code", self.device_code.expose())];
        self.client.log_in(form, &self.scope, self.dpop_key.clone()).await
    }
}

/// RFC 8628 §3.2.
#[derive(Deserialize)]
struct Members {
    device_code: String,
    user_code: String,
    #[serde(alias = "verification_url")]
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: u64,
    interval: Option<u64>,
}

impl Members {
    fn check(self, client: &OAuthClient, scope: &Scope) -> Result<DeviceAuthorization, DeviceAuthorizationError> {
        use DeviceAuthorizationError::Member;
        let device_code = Secret::new(self.device_code);
        if device_code.expose().is_empty() {
            return Err(Member("device_code"));
        }
        if !is_showable(&self.user_code) {
            return Err(Member("user_code"));
        }
        // It ends on a terminal, and in a browser.
        let complete = self.verification_uri_complete.filter(|uri| is_showable(uri));
        if !is_showable(&self.verification_uri) {
            return Err(Member("verification_uri"));
        }
        check_secure(&self.verification_uri)?;
        Ok(DeviceAuthorization {
            client: client.clone(),
            scope: scope.clone(),
            dpop_key: client.new_key(),
            device_code,
            user_code: self.user_code,
            verification_uri: self.verification_uri,
            verification_uri_complete: complete.filter(|uri| check_secure(uri).is_ok()),
            expires_in: Duration::from_secs(self.expires_in).min(EXPIRES_IN_MAX),
            began: client.clock().monotonic(),
            interval: self.interval.map_or(INTERVAL, Duration::from_secs).clamp(INTERVAL_MIN, INTERVAL_MAX),
        })
    }
}

/// Whether a text can be printed without being taken for a command of a terminal, and typed as it is seen.
fn is_showable(text: &str) -> bool {
    (1..=SHOWN_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

impl fmt::Debug for DeviceAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceAuthorization")
            .field("verification_uri", &self.verification_uri)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// RFC 8628 §3.4.
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// How often the server is asked where it does not say (RFC 8628 §3.2).
const INTERVAL: Duration = Duration::from_secs(5);
/// The shortest interval, whatever the server says.
const INTERVAL_MIN: Duration = Duration::from_secs(1);
/// By how much the interval grows when the server asks for it (RFC 8628 §3.5).
const SLOW_DOWN: Duration = Duration::from_secs(5);
/// The longest interval; a server that asks for more is misconfigured.
const INTERVAL_MAX: Duration = Duration::from_secs(60);
/// The longest that a person is waited for.
const EXPIRES_IN_MAX: Duration = Duration::from_secs(3600);
/// The longest code or address that a person is shown, in bytes.
const SHOWN_BYTES_MAX: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dpop;
    use crate::scripted::{Answer, Scripted, answer, with};

    const BEGUN: &str = r#"{"device_code":"d","user_code":"WDJB-MJHT","verification_uri":"https://id.example/device",
        "verification_uri_complete":"https://id.example/device?user_code=WDJB-MJHT","expires_in":120,"interval":5}"#;
    const TOKENS: &str = r#"{"access_token":"a","refresh_token":"r","token_type":"Bearer"}"#;

    fn refused(error: &str) -> Answer {
        answer(400, &format!(r#"{{"error":"{error}"}}"#))
    }

    fn word(outcome: &Result<Credential, DeviceAuthorizationError>) -> &'static str {
        match outcome {
            Ok(_) => "tokens",
            Err(DeviceAuthorizationError::Denied) => "denied",
            Err(DeviceAuthorizationError::Expired) => "expired",
            Err(DeviceAuthorizationError::Failed(_)) => "failed",
            Err(_) => "other",
        }
    }

    #[tokio::test]
    async fn rfc8628_section_3_5_the_server_is_asked_as_often_as_it_allows() {
        let pending = || refused("authorization_pending");
        let slow = || refused("slow_down");
        let busy = |seconds: &str| with(503, r#"{"error":"temporarily_unavailable"}"#, &[("retry-after", seconds)]);
        let tokens = || answer(200, TOKENS);
        let cases: [(Vec<Answer>, &[u64], &str); 10] = [
            (vec![tokens()], &[5], "tokens"),
            (vec![pending(), pending(), tokens()], &[5, 10, 15], "tokens"),
            // Five seconds more, and they stay.
            (vec![slow(), pending(), slow(), tokens()], &[5, 15, 25, 40], "tokens"),
            // Less often, until it is heard again.
            (vec![None, None, pending(), tokens()], &[5, 15, 35, 40], "tokens"),
            (vec![busy("17"), tokens()], &[5, 22], "tokens"),
            (vec![answer(502, "<html>"), tokens()], &[5, 15], "tokens"),
            (vec![pending(), refused("access_denied")], &[5, 10], "denied"),
            (vec![refused("expired_token")], &[5], "expired"),
            (vec![refused("invalid_grant")], &[5], "failed"),
            (vec![answer(401, r#"{"error":"invalid_client"}"#)], &[5], "failed"),
        ];
        for (answers, times, expected) in cases {
            let why = format!("{answers:?}");
            let server = Scripted::of([vec![answer(200, BEGUN)], answers].concat());
            let login = server.client().device_authorization(&Scope::parse("read").unwrap()).await.unwrap();
            let outcome = login.finish(&server).await;
            assert_eq!(word(&outcome), expected, "{why}");
            let heard = server.take();
            let polls: Vec<u64> = heard[1..].iter().map(|own| own.after.as_secs()).collect();
            assert_eq!(polls, times, "{why}");
            assert!(heard[1..].iter().all(|own| own.get("grant_type") == Some(GRANT_TYPE)));
            assert!(heard[1..].iter().all(|own| own.get("device_code") == Some("d")));
            assert_eq!(
                outcome.ok().map(|own| own.scope),
                (expected == "tokens").then(|| Scope::parse("read").unwrap())
            );
        }
    }

    #[tokio::test]
    async fn rfc8628_section_3_2_nobody_is_asked_after_the_end() {
        let server = Scripted::new(|heard| match heard.path.as_str() {
            "/device" => answer(200, BEGUN),
            _ => refused("authorization_pending"),
        });
        let login = server.client().device_authorization(&Scope::empty()).await.unwrap();
        assert_eq!(login.finish(&server).await, Err(DeviceAuthorizationError::Expired));
        let heard = server.take();
        assert_eq!((heard.len(), heard.last().unwrap().after.as_secs()), (24, 115));
    }

    #[tokio::test]
    async fn a_server_that_cannot_be_asked_is_not_taken_for_a_person_who_did_not_come() {
        for (last, expected) in [
            (None, "the server did not answer: timed out"),
            (answer(502, "<html>"), "status 502"),
            (refused("authorization_pending"), "nobody finished the login in time"),
            (refused("slow_down"), "nobody finished the login in time"),
        ] {
            let mut polls = 0;
            let server = Scripted::new(move |heard| {
                polls += 1;
                match heard.path.as_str() {
                    "/device" => answer(200, BEGUN),
                    _ if polls == 2 => None,
                    _ if polls == 3 => refused("authorization_pending"),
                    _ => last.clone(),
                }
            });
            let login = server.client().device_authorization(&Scope::empty()).await.unwrap();
            let error = login.finish(&server).await.unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[tokio::test]
    async fn rfc8628_section_3_2_what_a_login_begins_with() {
        let server = Scripted::new(|_| answer(200, BEGUN));
        let login = server.client().device_authorization(&Scope::parse("read").unwrap()).await.unwrap();
        assert_eq!((login.user_code(), login.verification_uri()), ("WDJB-MJHT", "https://id.example/device"));
        assert_eq!(login.verification_uri_complete(), Some("https://id.example/device?user_code=WDJB-MJHT"));
        assert_eq!(login.expires_in(), Duration::from_secs(120));
        assert!(!format!("{login:?}").contains("WDJB"));
        let heard = server.take();
        assert_eq!((heard[0].get("client_id"), heard[0].get("scope")), (Some("TestApp"), Some("read")));

        for (members, expected) in [
            (r#""user_code":"\u001b[2J""#, "user_code"),
            (r#""user_code":"""#, "user_code"),
            (r#""user_code":"\u202eWDJB""#, "user_code"),
            (r#""user_code":"\u009b2J""#, "user_code"),
            (r#""user_code":"W\u0410JB""#, "user_code"),
            (r#""verification_uri":"https://id.example/\u202e""#, "verification_uri"),
            (r#""verification_uri":"https://id.example@evil.example/""#, "address"),
            (r#""verification_uri":"https://id.example/#x""#, "address"),
            (r#""verification_uri_complete":"https://id.example@evil.example/""#, "none"),
            (r#""verification_uri":"a\nb""#, "verification_uri"),
            (r#""verification_uri":"http://id.example/device""#, "address"),
            (r#""verification_uri":"javascript:alert(1)""#, "address"),
            (r#""device_code":"""#, "device_code"),
            (r#""verification_uri_complete":"file:///etc/passwd""#, "none"),
            (r#""interval":0,"expires_in":999999"#, "clamped"),
        ] {
            let rest: String = [
                r#""device_code":"d""#,
                r#""user_code":"u""#,
                r#""verification_uri":"https://id.example""#,
                r#""expires_in":9"#,
            ]
            .into_iter()
            .filter(|own| !members.contains(own.split(':').next().unwrap()))
            .map(|own| format!(",{own}"))
            .collect();
            let server = Scripted::of(vec![answer(200, &format!("{{{members}{rest}}}"))]);
            let found = match server.client().device_authorization(&Scope::empty()).await {
                Err(DeviceAuthorizationError::Member(name)) => name,
                Err(DeviceAuthorizationError::Address(_)) => "address",
                Ok(login) if login.interval == INTERVAL_MIN && login.expires_in == EXPIRES_IN_MAX => "clamped",
                Ok(login) if login.verification_uri_complete().is_none() => "none",
                other => panic!("{members}: {other:?}"),
            };
            assert_eq!(found, expected, "{members}");
        }
    }

    #[tokio::test]
    async fn a_login_that_does_not_begin_says_why() {
        for (given, expected) in [
            (refused("unauthorized_client"), "the server cannot do what was asked"),
            (answer(200, "<html>"), "no usable answer"),
            (answer(200, TOKENS), "no usable answer: status 200 without a device code"),
            (answer(404, "<html>"), "no usable answer"),
            (None, "no usable answer: the server did not answer"),
        ] {
            let server = Scripted::of(vec![given]);
            let error = server.client().device_authorization(&Scope::empty()).await.unwrap_err();
            assert!(error.to_string().starts_with(expected), "{error}");
        }
        let nowhere = Scripted::of(Vec::new()).client_of(|provider| provider.device_authorization_endpoint = None);
        let error = nowhere.device_authorization(&Scope::empty()).await.unwrap_err();
        assert!(matches!(error, DeviceAuthorizationError::NotOffered(_)), "{error}");
    }

    #[tokio::test]
    async fn every_poll_of_a_bound_login_is_proven_by_the_same_key() {
        let server = Scripted::of(vec![
            answer(200, BEGUN),
            refused("authorization_pending"),
            answer(200, r#"{"access_token":"a","token_type":"DPoP"}"#),
        ]);
        let client = server.client().with_dpop(Dpop::Required);
        let login = client.device_authorization(&Scope::empty()).await.unwrap();
        let credential = login.finish(&server).await.unwrap();
        let keys: Vec<_> = server.take()[1..]
            .iter()
            .map(|own| crate::scripted::header(own.dpop.as_deref().unwrap())["jwk"]["x"].clone())
            .collect();
        assert_eq!(keys[0], keys[1]);
        assert!(credential.dpop_key.is_some());
    }
}
