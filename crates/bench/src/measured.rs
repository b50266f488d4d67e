use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::Memory;

/// What a load has shown.
#[derive(Clone, Debug)]
pub struct Measured {
    /// How long requests were counted.
    pub length: Duration,
    /// Of good answers, in nanoseconds since their requests were due.
    pub latency: Histogram<u64>,
    /// How many good answers came in that time; when a load is more than can be done, some come later.
    pub answered: u64,
    /// Of answers that were not good, and of requests without an answer.
    pub failed_latency: Histogram<u64>,
    /// How many of each kind of failure.
    pub failures: BTreeMap<String, u64>,
    /// How many failures said when to come again.
    pub with_retry_after: u64,
    /// The processor time of the server; `None` where no process of it was named.
    pub server_cpu: Option<Duration>,
    /// What the server had in memory at the end.
    pub server_memory: Option<Memory>,
    /// The processor time of this process.
    pub own_cpu: Duration,
}

impl Measured {
    /// Good answers to what was due in that time.
    #[must_use]
    pub fn good(&self) -> u64 {
        self.latency.len()
    }

    /// Good answers a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.answered as f64 / self.length.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// Everything else.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }

    /// The server's processor time for each good answer, in microseconds; `None` where nobody looked, or nothing was answered.
    #[must_use]
    pub fn server_microseconds(&self) -> Option<f64> {
        Some(self.server_cpu?.as_secs_f64() * 1e6 / self.answered.max(1) as f64).filter(|_| self.answered > 0)
    }

    /// The processor time of the load for each good answer, in microseconds.
    #[must_use]
    pub fn own_microseconds(&self) -> f64 {
        self.own_cpu.as_secs_f64() * 1e6 / self.answered.max(1) as f64
    }

    /// The latency of which this part of the good answers had at most as much, in milliseconds.
    #[must_use]
    pub fn milliseconds(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1e6
    }

    /// All of it as the members of a JSON object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let quantiles = |histogram: &Histogram<u64>| {
            let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e6;
            json!({ "p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "p999": at(0.999), "max": histogram.max() as f64 / 1e6 })
        };
        json!({
            "seconds": self.length.as_secs_f64(),
            "good": self.good(),
            "per_second": self.rate(),
            "milliseconds": quantiles(&self.latency),
            "failed": self.failed(),
            "failed_milliseconds": quantiles(&self.failed_latency),
            "failures": self.failures,
            "with_retry_after": self.with_retry_after,
            "server_cpu_microseconds": self.server_microseconds(),
            "load_cpu_microseconds": self.own_microseconds(),
            "server_resident_bytes": self.server_memory.map(|memory| memory.resident),
            "server_resident_bytes_max": self.server_memory.map(|memory| memory.resident_max),
        })
    }
}
