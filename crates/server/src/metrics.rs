//! What Prometheus is told: how many of what happened, how long requests take, and since when.
//!
//! Every series that can be named beforehand is there from the start, at 0, so that the first of something is a rise. To
//! count one event is one addition to a number that is found by its place in an array.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use regrant_engine::{
    ClientAuthenticationFailure, Event, Followed, Happening, LogInOutcome, Observer, OperatorFailure, Overloaded,
    Revoker, SweepOutcome, TakeOverOutcome,
};
use regrant_grant::{RedeemVerdict, Verdict};
use regrant_protocol::{GrantType, Timestamp};
use regrant_store::{Removed, StoreError};

use cases::Cases;

pub(crate) use http_requests::measure_requests;

mod cases;
mod http_requests;

/// The `Content-Type` of [`Metrics::to_text`] (OpenMetrics 1.0).
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Counts what happens.
pub(crate) struct Metrics {
    registry: Registry,
    refreshes: Cases<{ Verdict::ALL.len() }>,
    redemptions: Cases<{ RedeemVerdict::ALL.len() }>,
    log_ins: Cases<{ LogInOutcome::ALL.len() }>,
    issued: Cases<{ GrantType::ALL.len() }>,
    take_overs: Cases<{ TakeOverOutcome::ALL.len() }>,
    client_failures: Cases<{ ClientAuthenticationFailure::ALL.len() }>,
    operator_failures: Cases<{ OperatorFailure::ALL.len() }>,
    introspections: Cases<2>,
    revocations: Cases<{ Revoker::ALL.len() }>,
    turned_away: Cases<{ Overloaded::ALL.len() }>,
    swept: Cases<3>,
    sweep_failures: Counter,
    sweep_stopped: Gauge,
    commits_wait_for_standby: Gauge,
    connections: Gauge,
    signing_keys: Family<[(&'static str, String); 1], Gauge>,
    http_requests: http_requests::HttpRequests,
}

impl Metrics {
    /// Everything at 0, but for the time of the start.
    pub(crate) fn new(started_at: Timestamp) -> Self {
        let mut registry = Registry::with_prefix("regrant");
        let r = &mut registry;
        let refreshes =
            Cases::new(r, "refreshes", "Refreshes that were decided", "verdict", Verdict::ALL.map(Verdict::as_str));
        let redemptions = Cases::new(
            r,
            "redemptions",
            "Codes that were presented",
            "verdict",
            RedeemVerdict::ALL.map(RedeemVerdict::as_str),
        );
        let log_ins = Cases::new(
            r,
            "log_ins",
            "Attempts to log in, by page and by password grant",
            "outcome",
            LogInOutcome::ALL.map(LogInOutcome::as_str),
        );
        let issued = Cases::new(
            r,
            "tokens_issued",
            "Token responses, by the grant type that was asked with",
            "grant_type",
            GrantType::ALL.map(GrantType::as_str),
        );
        let take_overs = Cases::new(
            r,
            "take_overs",
            "Refresh tokens that were presented to an old server",
            "outcome",
            TakeOverOutcome::ALL.map(TakeOverOutcome::as_str),
        );
        let client_failures = Cases::new(
            r,
            "client_authentication_failures",
            "Requests whose client did not prove who it is",
            "failure",
            ClientAuthenticationFailure::ALL.map(ClientAuthenticationFailure::as_str),
        );
        let operator_failures = Cases::new(
            r,
            "operator_failures",
            "Requests at the admin listener without the admin token",
            "failure",
            OperatorFailure::ALL.map(OperatorFailure::as_str),
        );
        let introspections = Cases::new(
            r,
            "introspections",
            "Answers to clients that ask about a token",
            "answer",
            ["inactive", "active"],
        );
        let revocations = Cases::new(
            r,
            "revocations",
            "Ends of one grant, or of all of a user or client, by who ended them",
            "by",
            Revoker::ALL.map(Revoker::as_str),
        );
        let turned_away = Cases::new(
            r,
            "turned_away",
            "Work that was not begun, by what there was no room for",
            "for_want_of",
            Overloaded::ALL.map(Overloaded::as_str),
        );
        let swept = Cases::new(
            r,
            "swept_rows",
            "Rows that the sweep removed",
            "table",
            ["grants", "access_tokens", "sessions"],
        );
        let (sweep_failures, sweep_stopped, connections) = (Counter::default(), Gauge::default(), Gauge::default());
        r.register("sweep_failures", "Slices of the sweep that the store failed at", sweep_failures.clone());
        let help = "1 while nothing is swept because the clock cannot be believed";
        r.register("sweep_stopped", help, sweep_stopped.clone());
        let commits_wait_for_standby: Gauge = Gauge::default();
        let help = "1 while commits on PostgreSQL wait until a standby has them too";
        r.register("commits_wait_for_standby", help, commits_wait_for_standby.clone());
        r.register("connections_open", "Connections that are open, on all listeners", connections.clone());
        let signing_keys = Family::default();
        let help = "When the newest signing key of each algorithm was made, in seconds since 1970";
        r.register("signing_key_created_timestamp_seconds", help, signing_keys.clone());
        let started: Gauge = Gauge::default();
        started.set(started_at.seconds());
        r.register("start_timestamp_seconds", "When the process began to serve, in seconds since 1970", started);
        r.register("build", "The version that runs", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        let http_requests = http_requests::HttpRequests::new(r);
        Self {
            registry,
            refreshes,
            redemptions,
            log_ins,
            issued,
            take_overs,
            client_failures,
            operator_failures,
            introspections,
            revocations,
            turned_away,
            swept,
            sweep_failures,
            sweep_stopped,
            commits_wait_for_standby,
            connections,
            signing_keys,
            http_requests,
        }
    }

    /// All of it as Prometheus reads it, with what is only known when it asks: how many connections are open, how many were
    /// turned away, in the order of [`Overloaded::ALL`], and when the newest signing keys were made.
    pub(crate) fn to_text(
        &self,
        connections: usize,
        turned_away: [u64; Overloaded::ALL.len()],
        signing_keys: &[(String, Timestamp)],
    ) -> String {
        self.connections.set(i64::try_from(connections).unwrap_or(i64::MAX));
        for (place, number) in turned_away.into_iter().enumerate() {
            self.turned_away.rise_to(place, number);
        }
        for (algorithm, created_at) in signing_keys {
            self.signing_keys.get_or_create(&[("algorithm", algorithm.clone())]).set(created_at.seconds());
        }
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string takes all that is written");
        text
    }

    /// Counts what a slice of the sweep did.
    pub(crate) fn swept(&self, outcome: &SweepOutcome) {
        match outcome {
            // What it removed comes with the pass that it belongs to.
            SweepOutcome::Slice(_) | SweepOutcome::NotYet(_) => {
                self.sweep_stopped.set(0);
            }
            SweepOutcome::Pass(Removed { grants, access_tokens, sessions }) => {
                self.sweep_stopped.set(0);
                for (place, number) in [grants, access_tokens, sessions].into_iter().enumerate() {
                    self.swept.add(place, *number);
                }
            }
            SweepOutcome::Failed(_) => {
                self.sweep_failures.inc();
            }
            SweepOutcome::ClockDoubted | SweepOutcome::ClockJumped => {
                self.sweep_stopped.set(1);
            }
        }
    }

    /// What the follower tells. What it did not hear says nothing about the database.
    pub(crate) fn followed(&self, outcome: &Result<Followed, StoreError>) {
        if let Ok(followed) = outcome {
            self.commits_wait_for_standby.set(i64::from(followed.waits_for_standby));
        }
    }
}

impl Observer for Metrics {
    fn happened(&self, event: &Event<'_>) {
        match event.happening {
            Happening::Refresh { verdict, .. } => {
                self.refreshes.count(verdict as usize);
                if verdict.is_success() {
                    self.issued.count(GrantType::RefreshToken as usize);
                }
            }
            Happening::Redemption { verdict, .. } => {
                self.redemptions.count(verdict as usize);
                if verdict.is_success() {
                    self.issued.count(GrantType::AuthorizationCode as usize);
                }
            }
            Happening::Issued { grant_type, .. } => self.issued.count(grant_type as usize),
            Happening::TakeOver { outcome, .. } => self.take_overs.count(outcome as usize),
            Happening::ClientAuthenticationFailed { failure, .. } => self.client_failures.count(failure as usize),
            Happening::OperatorRefused { failure } => self.operator_failures.count(failure as usize),
            Happening::LogIn { outcome, .. } => self.log_ins.count(outcome as usize),
            Happening::Introspection { is_active, .. } => self.introspections.count(usize::from(is_active)),
            Happening::Revoked { by, .. } => self.revocations.count(by as usize),
            // Counted as requests, or too rare for a number.
            Happening::LogOut { .. }
            | Happening::Consent { .. }
            | Happening::CodeIssued { .. }
            | Happening::PasswordChanged { .. }
            | Happening::AccessTokenRevoked { .. }
            | Happening::Refused { .. }
            | Happening::Administered { .. }
            | _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::sync::Arc;

    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use http::Request;
    use regrant_http::FirstByte;
    use regrant_protocol::{Clock, SystemClock};
    use tower::ServiceExt;

    use super::*;

    fn metrics() -> Metrics {
        Metrics::new(Timestamp::from_seconds(1_800_000_000))
    }

    fn text(metrics: &Metrics) -> String {
        metrics.to_text(3, [5, 6, 7], &[("ES256".to_owned(), Timestamp::from_seconds(7))])
    }

    #[test]
    fn whether_commits_wait_for_a_standby_is_as_the_database_said_last() {
        let metrics = metrics();
        let told = || text(&metrics).contains("regrant_commits_wait_for_standby 1\n");
        assert!(!told());
        metrics.followed(&Ok(Followed { waits_for_standby: true, ..Followed::default() }));
        assert!(told());
        metrics.followed(&Err(StoreError::Unavailable("the database does not answer".to_owned())));
        assert!(told(), "a failure says nothing about it");
        metrics.followed(&Ok(Followed::default()));
        assert!(!told());
    }

    #[test]
    fn every_verdict_has_a_series_from_the_start_and_counts_under_its_own_name() {
        let metrics = metrics();
        let before = text(&metrics);
        let client = regrant_protocol::ClientId::parse("app").unwrap();
        let tell = |happening| {
            metrics.happened(&Event { at: Timestamp::from_seconds(0), request: None, source: None, happening });
        };
        for (number, verdict) in Verdict::ALL.into_iter().enumerate() {
            assert!(before.contains(&format!("regrant_refreshes_total{{verdict=\"{verdict}\"}} 0\n")), "{before}");
            (0..=number).for_each(|_| tell(Happening::Refresh { verdict, grant: None, client: &client }));
        }
        for (number, verdict) in RedeemVerdict::ALL.into_iter().enumerate() {
            assert!(before.contains(&format!("regrant_redemptions_total{{verdict=\"{verdict}\"}} 0\n")), "{before}");
            (0..=number).for_each(|_| tell(Happening::Redemption { verdict, grant: None, client: &client }));
        }
        for (number, outcome) in LogInOutcome::ALL.into_iter().enumerate() {
            (0..=number).for_each(|_| tell(Happening::LogIn { subject: None, outcome }));
        }
        for (number, outcome) in TakeOverOutcome::ALL.into_iter().enumerate() {
            let happening = |outcome| Happening::TakeOver { outcome, client: &client, grant: None, subject: None };
            (0..=number).for_each(|_| tell(happening(outcome)));
        }
        for (number, failure) in ClientAuthenticationFailure::ALL.into_iter().enumerate() {
            (0..=number).for_each(|_| tell(Happening::ClientAuthenticationFailed { client: &client, failure }));
        }
        for (number, failure) in OperatorFailure::ALL.into_iter().enumerate() {
            (0..=number).for_each(|_| tell(Happening::OperatorRefused { failure }));
        }
        let after = text(&metrics);
        let counted = |family: &str, label: &str, names: &[&str]| {
            for (number, name) in names.iter().enumerate() {
                let line = format!("regrant_{family}_total{{{label}=\"{name}\"}} {}\n", number + 1);
                assert!(after.contains(&line), "{line} {after}");
            }
        };
        counted("refreshes", "verdict", &Verdict::ALL.map(Verdict::as_str));
        counted("redemptions", "verdict", &RedeemVerdict::ALL.map(RedeemVerdict::as_str));
        counted("take_overs", "outcome", &TakeOverOutcome::ALL.map(TakeOverOutcome::as_str));
        counted("log_ins", "outcome", &LogInOutcome::ALL.map(LogInOutcome::as_str));
        let failures = ClientAuthenticationFailure::ALL.map(ClientAuthenticationFailure::as_str);
        counted("client_authentication_failures", "failure", &failures);
        counted("operator_failures", "failure", &OperatorFailure::ALL.map(OperatorFailure::as_str));
        assert!(after.contains("regrant_tokens_issued_total{grant_type=\"refresh_token\"} 15\n"), "{after}");
        assert!(after.contains("regrant_tokens_issued_total{grant_type=\"authorization_code\"} 3\n"), "{after}");
        assert!(after.contains("regrant_connections_open 3\n"), "{after}");
        for (number, name) in [(5, "hashing"), (6, "calls"), (7, "signatures")] {
            let line = format!("regrant_turned_away_total{{for_want_of=\"{name}\"}} {number}\n");
            assert!(before.contains(&line) && after.contains(&line), "{line} {after}");
        }
    }

    #[tokio::test]
    async fn the_page_lists_every_metric_and_no_other() {
        let metrics = Arc::new(metrics());
        let router = measure_requests(Router::new().route("/{name}", get(|| async {})), &metrics);
        for path in ["/one", "/two", "/no/route"] {
            let request = Request::get(path).extension(FirstByte(SystemClock.monotonic())).body(Body::empty()).unwrap();
            router.clone().oneshot(request).await.unwrap();
        }
        let text = text(&metrics);
        let count = |labels: &str| text.contains(&format!("regrant_http_request_duration_seconds_count{{{labels}"));
        assert!(count("route=\"/{name}\",method=\"GET\",status=\"2xx\"} 2"), "{text}");
        assert!(count("route=\"none\",method=\"GET\",status=\"4xx\"} 1"), "{text}");

        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations/observe.md");
        let page = std::fs::read_to_string(path).unwrap();
        let (_, table) = page.split_once("| metric |").unwrap();
        let rows = table.lines().skip(2).take_while(|line| line.starts_with("| `"));
        let told: BTreeSet<String> = rows
            .map(|row| {
                let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
                [cells[0].trim_matches('`'), cells[1], cells[3]].join(" | ")
            })
            .collect();
        let value = |kind: &str, line: &str| {
            line.strip_prefix(kind)?.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned()))
        };
        let helps = text.lines().filter_map(|line| value("# HELP ", line));
        let kinds = text.lines().filter_map(|line| value("# TYPE ", line));
        let found: BTreeSet<String> = helps
            .zip(kinds)
            .map(|((name, help), (of, kind))| {
                assert_eq!(name, of);
                let suffix = match kind.as_str() {
                    "counter" => "_total",
                    "info" => "_info",
                    _ => "",
                };
                format!("{name}{suffix} | {kind} | {}", help.trim_end_matches('.'))
            })
            .collect();
        assert_eq!(told, found);
    }
}
