//! How a server's refresh tokens behave, tried with a session that nobody else has.

use regrant_client::{Credential, MemoryStorage, OAuthClient, RefreshToken, TokenManager};
use serde::Serialize;

use super::tap::{Answer, Tap};

/// What became of each trial; `None` for what could not be tried any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Behaviour {
    /// A refresh like any other.
    pub(crate) refresh: Option<Outcome>,
    /// The same refresh token once more, after its answer was lost, with the proof that our client sends.
    pub(crate) retry: Option<Outcome>,
    /// The token that came last, after that.
    pub(crate) after_retry: Option<Outcome>,
    /// The first refresh token, which has been superseded long since.
    pub(crate) reuse: Option<Outcome>,
    /// The token that came last, after that.
    pub(crate) after_reuse: Option<Outcome>,
}

/// What a refresh came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Tokens, with another refresh token than was sent.
    Rotated,
    /// Tokens, with the refresh token that the lost answer had.
    SameSuccessor,
    /// Tokens, with the refresh token that was sent.
    Echoed,
    /// Tokens, without a refresh token.
    Omitted,
    /// No tokens, with this error code.
    Refused { error: String },
    /// Nothing that says anything.
    Unclear { cause: String },
}

impl Behaviour {
    /// Tries what becomes of `login`, and gives it up; `None` where it has no refresh token.
    pub(crate) async fn of(client: &OAuthClient, tap: &Tap, login: &Credential) -> Option<Self> {
        let first = login.refresh_token.clone()?;
        let mut trial = Trial { client, tap, login, latest: first.clone() };
        let mut seen = Self::default();
        trial.run(&first, &mut seen).await;
        // It has done its service; where it is not ended, it ends by itself.
        let _ = client.revoke(&trial.latest).await;
        Some(seen)
    }
}

/// A session, and how far it has come.
struct Trial<'a> {
    client: &'a OAuthClient,
    tap: &'a Tap,
    login: &'a Credential,
    latest: RefreshToken,
}

impl Trial<'_> {
    async fn run(&mut self, first: &RefreshToken, seen: &mut Behaviour) {
        if !self.step(first.clone(), &mut seen.refresh).await {
            return;
        }
        let sent = self.latest.clone();
        self.tap.lose_next();
        let answers = self.send(&sent).await;
        let lost = answers.first().cloned();
        seen.retry = answers.get(1).map(|answer| outcome(answer, &sent, lost.as_ref()));
        for answer in answers.iter().rev() {
            if let Answer::Tokens(token) = answer {
                self.latest = token.clone().unwrap_or_else(|| sent.clone());
                break;
            }
        }
        if !self.step(self.latest.clone(), &mut seen.after_retry).await || self.latest == *first {
            return;
        }
        let latest = self.latest.clone();
        self.step(first.clone(), &mut seen.reuse).await;
        self.step(latest, &mut seen.after_reuse).await;
    }

    /// Sends `token`, and notes what came of it; whether there are tokens.
    async fn step(&mut self, token: RefreshToken, seen: &mut Option<Outcome>) -> bool {
        let answers = self.send(&token).await;
        *seen = answers.last().map(|answer| outcome(answer, &token, None));
        let Some(Answer::Tokens(next)) = answers.last() else { return false };
        self.latest = next.clone().unwrap_or(token);
        true
    }

    /// The answers to one exchange, as a client of ours makes it that has nothing but this refresh token.
    async fn send(&self, token: &RefreshToken) -> Vec<Answer> {
        let credential = Credential { access: None, refresh_token: Some(token.clone()), ..self.login.clone() };
        let tokens = TokenManager::new(self.client.clone(), MemoryStorage::default());
        // What it comes to is heard on the way.
        if tokens.log_in(credential).await.is_ok() {
            let _ = tokens.access_token().await;
        }
        self.tap.take()
    }
}

fn outcome(answer: &Answer, sent: &RefreshToken, lost: Option<&Answer>) -> Outcome {
    match answer {
        Answer::Tokens(None) => Outcome::Omitted,
        Answer::Tokens(Some(token)) if token == sent => Outcome::Echoed,
        Answer::Tokens(Some(_)) if lost == Some(answer) => Outcome::SameSuccessor,
        Answer::Tokens(Some(_)) => Outcome::Rotated,
        Answer::Refused(error) => Outcome::Refused { error: error.clone() },
        Answer::Unclear(cause) => Outcome::Unclear { cause: cause.clone() },
    }
}
