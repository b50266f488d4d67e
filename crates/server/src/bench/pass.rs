use regrant_bench::{Measured, Pace};
use serde_json::{Value, json};

/// One load that was run, and what it showed.
#[derive(Clone, Debug)]
pub(super) struct Pass {
    pub(super) kind: PassKind,
    pub(super) chains: usize,
    pub(super) pace: Pace,
    pub(super) measured: Measured,
}

/// What was asked for in a [`Pass`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PassKind {
    /// Such as `refresh`.
    pub(super) workload: &'static str,
    /// Such as `ES256`; `None` where no access token of ours is made.
    pub(super) access_token: Option<&'static str>,
    pub(super) purpose: Purpose,
}

/// What a pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// How much can be done.
    Peak,
    /// How long one takes alone.
    Alone,
    /// How long each takes at a rate that leaves room.
    Steady,
    /// What becomes of a server that is asked for more than it can do.
    Overload,
    /// What somebody asked for.
    Given,
}

impl Pass {
    /// As a line of words.
    pub(super) fn line(&self) -> [String; 8] {
        let Measured { failures, .. } = &self.measured;
        let name = match self.kind.access_token {
            Some(format) => format!("{} {format}", self.kind.workload),
            None => self.kind.workload.to_owned(),
        };
        let pace = match self.pace {
            Pace::AsAnswered => String::new(),
            Pace::Rate(rate) => format!(" at {rate:.0}/s"),
        };
        let failures: Vec<String> = failures.iter().map(|(kind, count)| format!("{count} × {kind}")).collect();
        let server = self.measured.server_microseconds();
        [
            format!("{name}, {} chains{pace}", self.chains),
            format!("{:.0}", self.measured.rate()),
            format!("{:.2}", self.measured.milliseconds(0.5)),
            format!("{:.2}", self.measured.milliseconds(0.99)),
            format!("{:.2}", self.measured.milliseconds(0.999)),
            server.map_or("-".to_owned(), |server| format!("{server:.1}")),
            format!("{:.1}", self.measured.own_microseconds()),
            if failures.is_empty() { "-".to_owned() } else { failures.join(", ") },
        ]
    }

    /// The header of [`Pass::line`].
    pub(super) const HEADER: [&'static str; 8] =
        ["LOAD", "PER SECOND", "P50 MS", "P99 MS", "P99.9 MS", "SERVER µS", "LOAD µS", "FAILURES"];

    /// As the members of a JSON object.
    pub(super) fn to_json(&self) -> Value {
        let rate = match self.pace {
            Pace::AsAnswered => None,
            Pace::Rate(rate) => Some(rate),
        };
        let mut value = json!({
            "load": self.kind.workload,
            "access_token": self.kind.access_token,
            "chains": self.chains,
            "rate": rate,
        });
        if let (Some(value), Value::Object(measured)) = (value.as_object_mut(), self.measured.to_json()) {
            value.extend(measured);
        }
        value
    }
}
