//! The configurations that are explored, by name.

use std::fmt;
use std::sync::Arc;

use regrant_grant::model::{
    Breach, ClientType, Fault, QuietReading, RealRule, Restore, RetryRule, Rule, Settings, Tabs, Theft,
};
use regrant_grant::{OnReuse, RecoverPublic, RotationMode, Verdict};

use crate::scale::Scale;

/// One world to explore, and what must come out.
pub(super) struct Configuration {
    pub(super) name: String,
    pub(super) settings: Settings,
    /// A fault in place of the real rule.
    fault: Option<Fault>,
    pub(super) expected: Expected,
    /// The verdicts without which nothing was shown.
    pub(super) reaches: &'static [Verdict],
}

/// What must come out.
#[derive(Clone, Copy)]
pub(super) enum Expected {
    /// Every promise is kept in every state.
    Holds,
    /// This promise is broken: the model sees what it should see.
    Breaks(Breach),
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds => f.write_str("holds"),
            Self::Breaks(breach) => write!(f, "breaks {}", breach.promise()),
        }
    }
}

impl Configuration {
    fn holds(name: &str, settings: Settings, reaches: &'static [Verdict]) -> Self {
        let name = format!("{name}/{}", settings.client.as_str());
        Self { name, settings, fault: None, expected: Expected::Holds, reaches }
    }

    fn breaks(name: &str, settings: Settings, breach: Breach) -> Self {
        let name = format!("{name}/{}", settings.client.as_str());
        Self { name, settings, fault: None, expected: Expected::Breaks(breach), reaches: &[] }
    }

    /// The rule that decides in this world.
    pub(super) fn rule(&self) -> Arc<dyn Rule> {
        match self.fault {
            Some(fault) => Arc::new(fault),
            None => Arc::new(RealRule),
        }
    }
}

/// Every configuration of `scale`: the simple ones, and then everything at once.
pub(super) fn all(scale: Scale) -> Vec<Configuration> {
    let mut all = simple(scale);
    all.extend(ClientType::ALL.map(|client| everything(client, scale)));
    all
}

/// The configurations in which only some things happen.
pub(super) fn simple(scale: Scale) -> Vec<Configuration> {
    let mut all = other_modes();
    all.extend(ClientType::ALL.map(|client| honest(client, scale)));
    all.extend(ClientType::ALL.map(|client| theft(client, scale)));
    all.extend(special_thefts());
    all.extend(ClientType::ALL.into_iter().flat_map(ends));
    all.extend(ClientType::ALL.into_iter().flat_map(restores));
    all.extend(ClientType::ALL.into_iter().flat_map(imports));
    all.extend(ClientType::ALL.map(convoy));
    all.extend(against_the_retry_rule());
    all
}

/// Every delay, loss and crash, 503s, and a new master key that nodes learn of one after the other.
fn honest(client: ClientType, scale: Scale) -> Configuration {
    let settings = Settings { key_rotations_max: 1, sheds: true, ..bounds(client, scale) };
    Configuration::holds("honest", settings, &[Verdict::Rotated, Verdict::Retried])
}

/// The same with a thief who has one token.
fn theft(client: ClientType, scale: Scale) -> Configuration {
    let settings = Settings { key_rotations_max: 1, ..with_thief(bounds(client, scale)) };
    Configuration::holds("theft", settings, refusals_of_thief(client))
}

/// All of it at once: theft, revocation, cutoff, a new key and a restore in one world.
fn everything(client: ClientType, scale: Scale) -> Configuration {
    let bounds = bounds(client, scale);
    // A thief who can use what he stole makes ten times as many states: one generation less keeps them in memory.
    let is_useful_to_thief = matches!(client, ClientType::Challenge | ClientType::Bearer);
    let settings = Settings {
        generations_max: if is_useful_to_thief { bounds.generations_max.min(4) } else { bounds.generations_max },
        key_rotations_max: 1,
        revocation: true,
        cutoff: true,
        restore: Restore::Strict,
        ..with_thief(bounds)
    };
    Configuration::holds(
        "everything",
        settings,
        &[Verdict::Rotated, Verdict::Retried, Verdict::Revoked, Verdict::DeadEpoch],
    )
}

/// The bounds of a scale.
fn bounds(client: ClientType, scale: Scale) -> Settings {
    let settings = Settings::honest(client);
    match scale {
        Scale::Ci => settings,
        Scale::Night => {
            Settings { generations_max: 4, retry: RetryRule { tries_max: 3, ..settings.retry }, ..settings }
        }
        Scale::Gate => {
            let window_ticks = 6;
            let retry = RetryRule { tries_max: 3, ..RetryRule::published(window_ticks) };
            Settings { generations_max: 5, window_ticks, retry, ..settings }
        }
    }
}

/// A thief takes one token. A client that proves itself shares no generation with him; a bearer token does not prove who
/// sends it, and what is promised is only that each of its windows ends.
fn with_thief(settings: Settings) -> Settings {
    let hand_overs_max = if settings.client == ClientType::Bearer { u32::MAX } else { 0 };
    Settings { theft: Theft::Token, hand_overs_max, ..settings }
}

fn refusals_of_thief(client: ClientType) -> &'static [Verdict] {
    match client {
        ClientType::Confidential => &[Verdict::Retried, Verdict::WrongClient],
        ClientType::Bound => &[Verdict::Retried, Verdict::WrongSender],
        ClientType::Challenge | ClientType::Bearer => &[Verdict::Retried, Verdict::ReuseDetected, Verdict::Revoked],
    }
}

/// The other rotation modes. `reuse` and `fork` are for clients that prove themselves.
fn other_modes() -> Vec<Configuration> {
    let mut configurations = Vec::new();
    for client in ClientType::ALL {
        let of = |rotation| Settings { rotation, key_rotations_max: 1, ..with_thief(Settings::honest(client)) };
        let consume = of(RotationMode::Consume);
        configurations.push(Configuration::holds("consume", consume, &[Verdict::Consumed, Verdict::Retried]));
        if matches!(client, ClientType::Confidential | ClientType::Bound) {
            configurations.push(Configuration::holds("reuse", of(RotationMode::Reuse), &[Verdict::Reissued]));
            configurations.push(Configuration::holds("fork", of(RotationMode::Fork), &[Verdict::Forked]));
        }
    }
    configurations
}

/// Thieves that take or try more, and a policy of its own.
fn special_thefts() -> [Configuration; 3] {
    let strict = Settings { on_reuse: Some(OnReuse::Revoke), ..with_thief(Settings::honest(ClientType::Bound)) };
    // A copy that arrives first cannot be told from the request itself: the one generation that it makes is shared.
    let copying = Settings {
        theft: Theft::Message,
        hand_overs_max: 1,
        generations_max: 4,
        ..Settings::honest(ClientType::Challenge)
    };
    let probing = Settings { probing: true, ..with_thief(Settings::honest(ClientType::Bearer)) };
    [
        Configuration::holds("theft, reuse revokes", strict, &[Verdict::Retried, Verdict::WrongSender]),
        Configuration::holds("theft of a whole request", copying, &[Verdict::Retried, Verdict::ReuseDetected]),
        Configuration::holds(
            "theft and probing",
            probing,
            &[Verdict::Forged, Verdict::ScopeExceeded, Verdict::TargetRefused],
        ),
    ]
}

/// Everything that ends a grant from outside, or keeps it from being used.
fn ends(client: ClientType) -> [Configuration; 4] {
    let base = with_thief(Settings::honest(client));
    let revocation = Settings { revocation: true, ..base.clone() };
    let cutoff = Settings { cutoff: true, ..base.clone() };
    let expiry = Settings { idle_ticks: 4, absolute_ticks: 7, ..base.clone() };
    let disabling = Settings { disabling: true, ..base };
    [
        Configuration::holds("revocation", revocation, &[Verdict::Revoked]),
        Configuration::holds("cutoff", cutoff, &[Verdict::Revoked]),
        Configuration::holds("expiry", expiry, &[Verdict::ExpiredIdle, Verdict::ExpiredAbsolute]),
        Configuration::holds("disabling", disabling, &[Verdict::UserDisabled, Verdict::ClientDisabled]),
    ]
}

/// A snapshot that is put back.
fn restores(client: ClientType) -> Vec<Configuration> {
    let base = Settings::honest(client);
    let strict = Settings { restore: Restore::Strict, revocation: true, ..with_thief(base.clone()) };
    let unnoticed = Settings { restore: Restore::Unnoticed, key_rotations_max: 1, ..base };
    let mut configurations = vec![
        Configuration::holds("restore strict", strict, &[Verdict::DeadEpoch]),
        Configuration::holds("restore unnoticed", unnoticed, &[Verdict::RolledBack]),
    ];
    configurations.extend(recoveries(client));
    configurations
}

/// A snapshot that is put back, after which tokens from before are taken for a time. The policy for senders without a proof makes no
/// difference to those that have one.
fn recoveries(client: ClientType) -> Vec<Configuration> {
    let base = |public| Settings { restore: Restore::Recover(public), ..with_thief(Settings::honest(client)) };
    let recover = base(RecoverPublic::LogInAgain);
    let accept_ahead = base(RecoverPublic::AcceptAhead);
    let ended = |base: &Settings| Settings { revocation: true, ..base.clone() };
    let expiry = |base: &Settings| Settings { idle_ticks: 4, absolute_ticks: 7, ..base.clone() };
    let twice = |base: &Settings| Settings { restores_max: 2, ..base.clone() };
    let reached = &[Verdict::Rotated, Verdict::Retried, Verdict::DeadEpoch];
    let expired = &[Verdict::ExpiredIdle, Verdict::ExpiredAbsolute, Verdict::DeadEpoch];
    let of = Configuration::holds;
    let mut configurations = vec![
        of("recover", ended(&recover), &[Verdict::Rotated, Verdict::Revoked, Verdict::DeadEpoch]),
        of("recover, accept_ahead", ended(&accept_ahead), &[Verdict::Rotated, Verdict::Revoked, Verdict::DeadEpoch]),
    ];
    if matches!(client, ClientType::Challenge | ClientType::Bearer) {
        configurations.push(of("recover, accept_ahead, expiry", expiry(&accept_ahead), expired));
        configurations.push(of("recover, accept_ahead, twice", twice(&accept_ahead), reached));
        return configurations;
    }
    let new_key = Settings { key_rotations_max: 1, ..recover.clone() };
    let rotating = |rotation| Settings { rotation, ..recover.clone() };
    let imported = Settings { imported: true, generations_max: 2, ..recover.clone() };
    configurations.extend([
        of("recover, new key", new_key, reached),
        of("recover, expiry", expiry(&recover), expired),
        of("recover, twice", twice(&recover), reached),
        of("recover, reuse", rotating(RotationMode::Reuse), &[Verdict::Rotated, Verdict::Reissued]),
        of("recover, fork", rotating(RotationMode::Fork), &[Verdict::Rotated, Verdict::Forked]),
        of("recover, imported", imported, reached),
    ]);
    configurations
}

/// A grant that begins with another system's token, whose string names neither master key nor epoch, in every mode.
fn imports(client: ClientType) -> Vec<Configuration> {
    let of = |rotation| Settings {
        imported: true,
        rotation,
        generations_max: 2,
        key_rotations_max: 1,
        ..with_thief(Settings::honest(client))
    };
    let ended = Settings { revocation: true, restore: Restore::Strict, ..of(RotationMode::Rotate) };
    let reaches = &[Verdict::Rotated, Verdict::Retried, Verdict::Revoked, Verdict::DeadEpoch];
    let mut configurations = vec![
        Configuration::holds("imported", ended, reaches),
        Configuration::holds("imported, consume", of(RotationMode::Consume), &[Verdict::Consumed, Verdict::Retried]),
    ];
    if matches!(client, ClientType::Confidential | ClientType::Bound) {
        configurations.push(Configuration::holds("imported, reuse", of(RotationMode::Reuse), &[Verdict::Reissued]));
        configurations.push(Configuration::holds("imported, fork", of(RotationMode::Fork), &[Verdict::Forked]));
    }
    configurations
}

/// D-01: where nobody has to prove that he is the same sender, client and thief share every generation there is.
fn convoy(client: ClientType) -> Configuration {
    let generations_max = 4;
    let settings = Settings {
        theft: Theft::Token,
        generations_max,
        // All that follow the stolen one, but for one.
        hand_overs_max: u32::from(generations_max) - 2,
        watched: Some(Breach::HandedOver),
        ..Settings::honest(client)
    };
    let fault = (client != ClientType::Bearer).then_some(Fault::SENDER_EQUALITY_OFF);
    Configuration { fault, ..Configuration::breaks("convoy without sender equality", settings, Breach::HandedOver) }
}

/// Clients and networks that do not keep to the retry rule: each part of it is needed.
fn against_the_retry_rule() -> Vec<Configuration> {
    let mut configurations = Vec::new();
    for client in [ClientType::Confidential, ClientType::Bearer] {
        let base = Settings::honest(client);
        let with = |retry| Settings { retry, ..base.clone() };
        let retry = base.retry;
        for (name, settings) in [
            ("requests held for longer", Settings { request_life_ticks: 4, ..base.clone() }),
            ("no quiet time", with(RetryRule { quiet_ticks: 0, ..retry })),
            ("quiet time one tick short", with(RetryRule { quiet_ticks: 1, ..retry })),
            (
                "quiet time only after a later try's answer",
                with(RetryRule { quiet: QuietReading::AnswerToLaterTry, ..retry }),
            ),
            (
                "last try sent, not decided, inside the window",
                with(RetryRule { last_try_after_ticks: base.window_ticks - 1, ..retry }),
            ),
            ("tabs without a common record", Settings { tabs: Tabs::TwoWithoutRecord, ..base.clone() }),
        ] {
            configurations.push(Configuration::breaks(name, settings, Breach::ClientLockedOut));
        }
    }
    configurations
}
