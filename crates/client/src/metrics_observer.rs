use metrics::{Label, counter, histogram};

use crate::{Event, IssuerIdentifier, LogInReason, Observer, TokenError};

/// Counts what becomes of a credential, through the [`metrics`] facade.
///
/// | Metric | Labels | What it counts |
/// |---|---|---|
/// | `regrant_client_refresh_total` | `issuer`, `result` | exchanges: `refreshed`, `temporary`, `refused`, `storage`, `other_server` |
/// | `regrant_client_requests_total` | `issuer` | requests that the refreshes took; more than one each where answers were lost |
/// | `regrant_client_log_in_total` | `issuer`, `reason` | times that a person has to log in: `no_credential`, `no_refresh_token`, `refused` |
/// | `regrant_client_joined_total` | `issuer` | callers who waited for an exchange that another caller had begun |
/// | `regrant_client_lock_wait_seconds` | `issuer` | a histogram: how long exchanges, logins and logouts waited for their turn among all processes |
///
/// The label `issuer` is the host of the server; none is a token, a user or an error's text.
///
/// ```
/// use regrant_client::{IssuerIdentifier, MetricsObserver, TokenManager};
///
/// fn counted(tokens: TokenManager, issuer: &IssuerIdentifier) -> TokenManager {
///     tokens.observed_by(MetricsObserver::new(issuer))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct MetricsObserver {
    issuer: Label,
}

impl MetricsObserver {
    /// The observer that counts what becomes of a credential of `issuer`.
    #[must_use]
    pub fn new(issuer: &IssuerIdentifier) -> Self {
        let (origin, _) = issuer.origin_and_path();
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        Self { issuer: Label::new("issuer", host.to_owned()) }
    }

    fn count(&self, name: &'static str, label: Option<(&'static str, &'static str)>, count: u64) {
        let mut labels = vec![self.issuer.clone()];
        labels.extend(label.map(|(key, value)| Label::from_static_parts(key, value)));
        counter!(name, labels).increment(count);
    }
}

impl Observer for MetricsObserver {
    fn observe(&self, event: &Event) {
        match event {
            Event::Refreshed { tries } => {
                self.count(REFRESH, Some(("result", "refreshed")), 1);
                self.count(REQUESTS, None, u64::from(*tries));
            }
            Event::Failed(error) => self.count(REFRESH, Some(("result", result(error))), 1),
            Event::LogInNeeded(reason) => {
                self.count(REFRESH, Some(("result", "log_in")), 1);
                self.count(LOG_IN, Some(("reason", reason_name(reason))), 1);
            }
            Event::LockWaited(waited) => histogram!(LOCK_WAIT, vec![self.issuer.clone()]).record(waited.as_secs_f64()),
            Event::Joined => self.count(JOINED, None, 1),
        }
    }
}

const fn result(error: &TokenError) -> &'static str {
    match error {
        TokenError::LogIn(_) => "log_in",
        TokenError::Temporary { .. } => "temporary",
        TokenError::Refused(_) => "refused",
        TokenError::Storage(_) => "storage",
        TokenError::OtherServer { .. } => "other_server",
        TokenError::Uri(_) => "uri",
    }
}

const fn reason_name(reason: &LogInReason) -> &'static str {
    match reason {
        LogInReason::NoCredential => "no_credential",
        LogInReason::NoRefreshToken => "no_refresh_token",
        LogInReason::Refused(_) => "refused",
    }
}

const REFRESH: &str = "regrant_client_refresh_total";
const REQUESTS: &str = "regrant_client_requests_total";
const LOG_IN: &str = "regrant_client_log_in_total";
const JOINED: &str = "regrant_client_joined_total";
const LOCK_WAIT: &str = "regrant_client_lock_wait_seconds";

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use metrics::{
        Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
        with_local_recorder,
    };

    use super::*;
    use crate::{Failure, OAuthError, StorageError};

    /// Every counter, and the sum of every histogram, as Prometheus would write it.
    #[derive(Clone, Default)]
    struct Counts(Arc<Mutex<BTreeMap<String, f64>>>);

    struct Count(Counts, String);

    impl CounterFn for Count {
        fn increment(&self, value: u64) {
            self.record(f64::from(u32::try_from(value).unwrap()));
        }

        fn absolute(&self, _: u64) {
            panic!("nothing here is absolute");
        }
    }

    impl HistogramFn for Count {
        fn record(&self, value: f64) {
            *self.0.0.lock().unwrap().entry(self.1.clone()).or_default() += value;
        }
    }

    impl Counts {
        fn named(&self, key: &Key) -> Arc<Count> {
            let labels: Vec<String> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
            Arc::new(Count(self.clone(), format!("{}{{{}}}", key.name(), labels.join(","))))
        }
    }

    impl Recorder for Counts {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            Counter::from_arc(self.named(key))
        }

        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            panic!("there is no gauge");
        }

        fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::from_arc(self.named(key))
        }
    }

    #[test]
    fn every_event_is_counted_under_its_issuer_and_result() {
        let error = OAuthError { error: "invalid_scope".to_owned(), description: "s3cret".to_owned() };
        let events = [
            Event::Refreshed { tries: 1 },
            Event::Refreshed { tries: 3 },
            Event::Failed(TokenError::Temporary { cause: "s3cret".to_owned(), retry_after: None }),
            Event::Failed(TokenError::Refused(Failure::Configuration(error))),
            Event::Failed(TokenError::Storage(StorageError::Other("s3cret".to_owned()))),
            Event::LogInNeeded(LogInReason::Refused("invalid_grant".to_owned())),
            Event::LogInNeeded(LogInReason::NoRefreshToken),
            Event::Joined,
            Event::Joined,
            Event::LockWaited(Duration::from_millis(250)),
        ];
        let counts = Counts::default();
        let observer = MetricsObserver::new(&IssuerIdentifier::parse("https://id.example:8443/tenant").unwrap());
        with_local_recorder(&counts, || events.iter().for_each(|event| observer.observe(event)));
        let counted: Vec<String> =
            counts.0.lock().unwrap().iter().map(|(name, count)| format!("{name} {count}")).collect();
        assert_eq!(
            counted,
            [
                "regrant_client_joined_total{issuer=id.example:8443} 2",
                "regrant_client_lock_wait_seconds{issuer=id.example:8443} 0.25",
                "regrant_client_log_in_total{issuer=id.example:8443,reason=no_refresh_token} 1",
                "regrant_client_log_in_total{issuer=id.example:8443,reason=refused} 1",
                "regrant_client_refresh_total{issuer=id.example:8443,result=log_in} 2",
                "regrant_client_refresh_total{issuer=id.example:8443,result=refreshed} 2",
                "regrant_client_refresh_total{issuer=id.example:8443,result=refused} 1",
                "regrant_client_refresh_total{issuer=id.example:8443,result=storage} 1",
                "regrant_client_refresh_total{issuer=id.example:8443,result=temporary} 1",
                "regrant_client_requests_total{issuer=id.example:8443} 4",
            ]
        );
    }
}
