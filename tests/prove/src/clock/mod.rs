//! Clocks that jump, stand still or run away (`prove clock`).
//!
//! A chain of refreshes and retries of every kind of client, and at every place in it the clock jumps, and at every later
//! place it jumps back. Each answer must be the [expected](expectation) one: nothing ends by the clock but what a clock that
//! went on ends, a clock that is behind changes nothing, and no token string goes from dead to alive but by the row's moments.

mod expectation;

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_crypto::sha256;
use regrant_engine::TokenError;
use regrant_grant::RotationMode;
use regrant_protocol::{Timestamp, TokenResponse};

use crate::instance::{Instance, LOGIN, START_SECONDS, Sender};
use crate::report::{Entry, Report};
use crate::scale::Scale;
use expectation::{Expectation, Expected, Misreading};

/// A client and what its refreshes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// With a secret.
    Confidential,
    /// With nothing.
    PublicBearer,
    /// With a retry challenge.
    PublicWithChallenge,
    /// With a secret, and one token for ever.
    ConfidentialReuse,
    /// With a secret, and a token for one refresh.
    ConfidentialConsume,
    /// With a secret, and a sibling for each refresh.
    ConfidentialFork,
}

/// Everyone who can send a refresh.
const KINDS: [Kind; 6] = [
    Kind::Confidential,
    Kind::PublicBearer,
    Kind::PublicWithChallenge,
    Kind::ConfidentialReuse,
    Kind::ConfidentialConsume,
    Kind::ConfidentialFork,
];

/// What is presented, in this order: the current token, the one before, or the one before that.
const CHAIN: [u32; 9] = [0, 1, 0, 1, 1, 0, 0, 1, 2];

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// How far the clock jumps, in seconds.
const JUMPS: [i64; 6] = [HOUR, -HOUR, DAY, -DAY, 10 * YEAR, -10 * YEAR];

/// How far the clock goes between two requests, in seconds: it stands still, goes on, dawdles, or runs 1000 times as fast.
const PACES: [i64; 4] = [0, 10, 40, 10_000];

/// The most violations that are shown.
const SHOWN_MAX: usize = 10;

/// What the clock does during a chain.
#[derive(Clone, Copy, Debug)]
struct Weather {
    pace: i64,
    jump: i64,
    /// Before which request it jumps.
    at: usize,
    /// Before which request it jumps back; beyond the chain for never.
    back_at: usize,
}

/// Proves it for every kind of client, and that wrong expectations would be noticed.
pub(crate) async fn run(scale: Scale, only: &str, report: &mut Report) -> Result<()> {
    let mut differences = HashMap::new();
    let bench = Bench::new().await?;
    for kind in KINDS {
        if !kind.name().contains(only) {
            continue;
        }
        let mut entry = Entry::begin("clock", kind.name());
        let (mut requests, mut chains, mut violations) = (0, 0, Vec::new());
        for weather in weathers(scale) {
            let chain = bench.play(kind, weather).await?;
            requests += chain.len();
            chains += 1;
            violations
                .extend(chain.iter().flat_map(|step| &step.problems).map(|problem| format!("{weather:?}: {problem}")));
            for misreading in Misreading::ALL {
                *differences.entry(misreading as usize).or_insert(0) += differing(kind, &chain, Some(misreading));
            }
            if let Some(problem) = first_difference(kind, &chain) {
                violations.push(format!("{weather:?}: {problem}"));
            }
        }
        entry.add("chains", chains);
        if !violations.is_empty() {
            entry.add("found", violations[..violations.len().min(SHOWN_MAX)].to_vec());
        }
        report.close(entry, requests, violations.len());
    }
    if only.is_empty() {
        let mut entry = Entry::begin("clock", "wrong_expectations_must_differ");
        let unnoticed = Misreading::ALL.iter().filter(|misreading| differences[&(**misreading as usize)] == 0).count();
        for misreading in Misreading::ALL {
            entry.add(&format!("{misreading:?}"), differences[&(misreading as usize)]);
        }
        report.close(entry, Misreading::ALL.len(), unnoticed);
    }
    Ok(())
}

fn weathers(scale: Scale) -> impl Iterator<Item = Weather> {
    let paces = if scale == Scale::Ci { &PACES[1..2] } else { &PACES[..] };
    let still = PACES.into_iter().map(|pace| Weather { pace, jump: 0, at: 0, back_at: CHAIN.len() });
    let jumping = paces.iter().flat_map(move |&pace| {
        JUMPS.into_iter().flat_map(move |jump| {
            (0..CHAIN.len()).flat_map(move |at| {
                // In a hurry, the clock is set right before the next request or never.
                let is_played = move |&back: &usize| scale != Scale::Ci || back == at + 1 || back == CHAIN.len();
                let backs = (at + 1..=CHAIN.len()).filter(is_played);
                backs.map(move |back_at| Weather { pace, jump, at, back_at })
            })
        })
    });
    still.chain(jumping)
}

/// A server with a client of every kind.
struct Bench {
    instance: Instance,
    secrets: HashMap<&'static str, String>,
    _folder: tempfile::TempDir,
}

/// One request of a chain.
struct Step {
    /// The generation whose token was presented, and what the clock showed.
    presented: u32,
    clock: i64,
    seen: Expected,
    problems: Vec<String>,
}

impl Bench {
    async fn new() -> Result<Self> {
        let folder = tempfile::tempdir().context("a proof may write temporary files")?;
        let instance = Instance::open(&folder.path().join("data"), 50).await?;
        instance.register_user().await?;
        let mut secrets = HashMap::new();
        for kind in KINDS {
            let (sender, mode) = kind.settings();
            if let Some(secret) = instance.register_client(kind.name(), sender, mode).await? {
                secrets.insert(kind.name(), secret);
            }
        }
        Ok(Self { instance, secrets, _folder: folder })
    }

    /// Plays a chain on a new grant.
    async fn play(&self, kind: Kind, weather: Weather) -> Result<Vec<Step>> {
        let mut clock = START_SECONDS;
        self.instance.clock().jump_to(Timestamp::from_seconds(clock));
        let first = self.instance.token(&format!("{LOGIN}&{}", self.client(kind))).await?;
        let mut tokens = HashMap::from([(1, told(&first))]);
        let mut access_tokens = vec![first.access_token];
        let mut current = 1;
        // Only to know which token is the current one, and what may have ended.
        let mut expectation = Expectation::born(kind, clock, None);
        let mut steps = Vec::new();
        for (index, back) in CHAIN.into_iter().enumerate() {
            clock += weather.pace;
            clock += if index == weather.at { weather.jump } else { 0 };
            clock -= if index == weather.back_at { weather.jump } else { 0 };
            self.instance.clock().jump_to(Timestamp::from_seconds(clock));
            let presented = current.max(back + 1) - back;
            let Some(token) = tokens.get(&presented) else { continue };
            let form = format!("grant_type=refresh_token&refresh_token={token}&{}", self.client(kind));
            let form = form + &kind.challenge(presented, presented < current);
            let mut problems = Vec::new();
            let seen = match self.instance.token(&form).await {
                Ok(response) => {
                    let next = told(&response);
                    let generation = self.generation(kind, &next)?;
                    if let Some(generation) = generation {
                        let known = tokens.entry(generation).or_insert_with(|| next.clone());
                        if *known != next {
                            problems.push(format!("two strings of generation {generation}"));
                        }
                        if generation < current {
                            problems.push(format!("generation {generation} after {current}"));
                        }
                        current = current.max(generation);
                    }
                    access_tokens.push(response.access_token);
                    generation.map_or(Expected::NoToken, Expected::Token)
                }
                Err(TokenError::Refresh { verdict, .. }) => Expected::Refused(verdict),
                Err(error) => bail!("{kind:?}, {weather:?}: {error}"),
            };
            let _ = expectation.present(presented, clock);
            current = current.max(expectation.generation());
            for access_token in &access_tokens {
                problems.extend(self.look_at(access_token.expose(), clock, &expectation).await?);
            }
            steps.push(Step { presented, clock, seen, problems });
        }
        Ok(steps)
    }

    /// An access token is good from the server's view exactly until its `exp`, and never beyond the grant.
    async fn look_at(&self, access_token: &str, clock: i64, expectation: &Expectation) -> Result<Option<String>> {
        let claims = access_token.split('.').nth(1).context("an access token is a JWT")?;
        let claims: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims)?)?;
        let (issued_at, end) = (claims["iat"].as_i64().unwrap_or(i64::MAX), claims["exp"].as_i64().unwrap_or(i64::MAX));
        let is_active = self.instance.inspect(access_token).await?.is_some();
        let ends_in_time = end <= expectation.absolute_end();
        Ok(match is_active {
            true if clock >= end => Some(format!("an access token of {issued_at} to {end} is good at {clock}")),
            true if expectation.is_revoked() => Some("an access token outlives the end of its grant".to_owned()),
            false if clock < end && !expectation.is_revoked() => {
                Some(format!("an access token of {issued_at} to {end} is refused at {clock}"))
            }
            _ if !ends_in_time => Some(format!("an access token ends at {end}, after its grant")),
            _ => None,
        })
    }

    /// The generation of a refresh token of the grant; `None` without one, and for a sibling.
    fn generation(&self, kind: Kind, token: &str) -> Result<Option<u32>> {
        if token.is_empty() || kind == Kind::ConfidentialFork {
            return Ok(None);
        }
        let parts = regrant_grant::TokenParts::parse(regrant_grant::REFRESH_PREFIX, token)?;
        Ok(Some(parts.head.generation.0))
    }

    fn client(&self, kind: Kind) -> String {
        let id = kind.name();
        let secret = self.secrets.get(id).map(|secret| format!("&client_secret={secret}")).unwrap_or_default();
        format!("client_id={id}{secret}")
    }
}

impl Kind {
    /// Its name in the results, and that of its client.
    fn name(self) -> &'static str {
        match self {
            Self::Confidential => "confidential",
            Self::PublicBearer => "public_bearer",
            Self::PublicWithChallenge => "public_with_challenge",
            Self::ConfidentialReuse => "confidential_reuse",
            Self::ConfidentialConsume => "confidential_consume",
            Self::ConfidentialFork => "confidential_fork",
        }
    }

    fn settings(self) -> (Sender, RotationMode) {
        match self {
            Self::Confidential => (Sender::Confidential, RotationMode::Rotate),
            Self::PublicBearer | Self::PublicWithChallenge => (Sender::PublicBearer, RotationMode::Rotate),
            Self::ConfidentialReuse => (Sender::Confidential, RotationMode::Reuse),
            Self::ConfidentialConsume => (Sender::Confidential, RotationMode::Consume),
            Self::ConfidentialFork => (Sender::Confidential, RotationMode::Fork),
        }
    }

    /// The challenge of every try of one refresh, and the verifier of every try after the first.
    fn challenge(self, generation: u32, is_retry: bool) -> String {
        if self != Self::PublicWithChallenge {
            return String::new();
        }
        let verifier = format!("{generation:043}");
        let challenge = URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()));
        let proof = if is_retry { format!("&retry_verifier={verifier}") } else { String::new() };
        format!("&retry_challenge={challenge}{proof}")
    }
}

fn told(response: &TokenResponse) -> String {
    response.refresh_token.as_ref().map(|token| token.expose().to_owned()).unwrap_or_default()
}

/// In how many answers the chain differs from what is expected.
fn differing(kind: Kind, chain: &[Step], misreading: Option<Misreading>) -> usize {
    let mut expectation = Expectation::born(kind, START_SECONDS, misreading);
    chain.iter().filter(|step| expectation.present(step.presented, step.clock) != step.seen).count()
}

fn first_difference(kind: Kind, chain: &[Step]) -> Option<String> {
    let mut expectation = Expectation::born(kind, START_SECONDS, None);
    chain.iter().enumerate().find_map(|(index, step)| {
        let expected = expectation.present(step.presented, step.clock);
        let told = format!("request {index}, generation {} at {}", step.presented, step.clock);
        (expected != step.seen).then(|| format!("{told}: {:?} where {expected:?} was expected", step.seen))
    })
}
