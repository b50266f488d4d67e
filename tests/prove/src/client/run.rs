use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use regrant_client::{FileStorage, OAuthClient, ReqwestTransport, Storage, TokenManager};
use regrant_protocol::{Clock, Scope, Secret, SystemClock};

use super::careless::Fault;
use super::crew::{Crew, PLACES};
use super::death::{Mortal, MortalTransport};
use super::exchange::Fate;
use super::fast_clock::FastClock;
use super::judge::{Course, judge};
use super::process::Arguments;
use super::proxy::{Odds, Proxy};
use super::server::{PASSWORD, Registration, Server, USERNAME};
use crate::history::tell;
use crate::report::{Entry, Report};

/// How much is done to a credential.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) processes: u32,
    pub(crate) threads: u32,
    pub(crate) seconds: u64,
    pub(crate) clock_factor: u32,
    pub(crate) odds: Odds,
    /// Whether it goes on for long enough that processes die at every place there is.
    pub(crate) dies_everywhere: bool,
}

/// A run against one server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) server: Server,
    pub(crate) is_confidential: bool,
    pub(crate) extent: Extent,
    pub(crate) fault: Option<Fault>,
    pub(crate) seed: u64,
}

/// How long an access token lives at every server. It is due at half of that.
const ACCESS_SECONDS: u32 = 10;
/// How often somebody looks whether a login is needed.
const LOOK: Duration = Duration::from_millis(10);
/// How often the last exchange is tried, once everything arrives.
const SETTLING_MAX: u32 = 400;

impl Run {
    /// Does it, and adds the result to `report`.
    pub(crate) async fn run(self, entry: Entry, report: &mut Report) -> Result<()> {
        let folder = tempfile::tempdir().context("there is no temporary directory")?;
        let server = self.server.start(&folder.path().join("data"), ACCESS_SECONDS)?;
        let issuer = format!("http://{}", server.address());
        let (proxy, address) = Proxy::open(server.address().parse()?, self.extent.odds, self.seed).await?;
        let clock = FastClock::new(SystemClock.now(), self.extent.clock_factor);
        let registration = Registration { issuer: issuer.clone(), is_confidential: self.is_confidential };
        let file = FileStorage::new(folder.path().join("credential/token.json"));

        let transport = Arc::new(ReqwestTransport::new()?);
        let client = registration.client(&format!("{issuer}/token"), transport, clock)?;
        let mut person = Person { client, file: file.clone(), logins: 0 };
        person.log_in().await?;

        let token_endpoint = format!("http://{address}/token");
        let crew = Arc::new(Crew::new(self.arguments(&issuer, &token_endpoint, &file, clock), self.seed ^ 1));
        let keepers: Vec<_> = (0..self.extent.processes)
            .map(|_| Arc::clone(&crew))
            .map(|crew| tokio::task::spawn_blocking(move || crew.keep_one_alive()))
            .collect();
        let watched = person.watch(Duration::from_secs(self.extent.seconds)).await;
        crew.end();
        for keeper in keepers {
            keeper.await??;
        }
        watched?;

        // What is under way comes to its end, and is judged too.
        proxy.calm();
        let mortal = Mortal::new(0, None);
        let transport = MortalTransport { mortal, inner: Arc::new(ReqwestTransport::new()?) };
        let last = TokenManager::new(registration.client(&token_endpoint, Arc::new(transport), clock)?, file);
        person.settle(&last.with_timer(clock)).await?;

        let course = Course {
            exchanges: proxy.record().to_vec(),
            told: crew.told(),
            logins: person.logins,
            has_retry_rule: self.server.has_retry_rule(),
            clock_factor: self.extent.clock_factor,
        };
        self.close(&course, entry, report);
        Ok(())
    }

    fn arguments(&self, issuer: &str, token_endpoint: &str, file: &FileStorage, clock: FastClock) -> Arguments {
        Arguments {
            process: 0,
            threads: self.extent.threads,
            issuer: issuer.to_owned(),
            token_endpoint: token_endpoint.to_owned(),
            is_confidential: self.is_confidential,
            file: file.path().to_owned(),
            clock_origin: clock.origin().milliseconds(),
            clock_factor: clock.factor(),
            death: None,
            fault: self.fault,
        }
    }

    fn close(&self, course: &Course, mut entry: Entry, report: &mut Report) {
        let mut verdict = judge(course);
        let count = |fate| course.exchanges.iter().filter(|exchange| exchange.fate == fate).count();
        let mut killed: BTreeMap<&str, u64> = BTreeMap::new();
        for place in course.told.killed.values() {
            *killed.entry(place).or_default() += 1;
        }
        entry.add("processes_at_once", self.extent.processes);
        entry.add("threads", self.extent.threads);
        entry.add("clock_factor", self.extent.clock_factor);
        entry.add("processes", course.told.processes);
        entry.add("killed", course.told.killed.len());
        let killed_at = killed.len();
        entry.add("killed_at", serde_json::json!(killed));
        entry.add("served", course.told.served);
        entry.add("dropped_before", count(Fate::DroppedBefore));
        entry.add("dropped_after", count(Fate::DroppedAfter));
        entry.add("truncated", count(Fate::Truncated));
        entry.add("delayed", count(Fate::Delayed));
        entry.add("expiries", verdict.expiries);
        entry.add("unheard", verdict.unheard);
        entry.add("sessions_lost", verdict.sessions_lost);
        let exchanges = course.exchanges.len();
        if self.fault.is_some() {
            entry.add("violations_found", verdict.violations.len());
            tell(&mut entry, &verdict.violations);
            return report.close(entry, exchanges, usize::from(verdict.violations.is_empty()));
        }
        // Where little went wrong, nothing was shown.
        let lost = count(Fate::DroppedAfter) + count(Fate::Truncated);
        let places = if self.extent.dies_everywhere { PLACES } else { 1 };
        if lost == 0 || count(Fate::DroppedBefore) == 0 || killed_at < places {
            verdict.violations.push("not everything that is to go wrong did".to_owned());
        }
        tell(&mut entry, &verdict.violations);
        report.close(entry, exchanges, verdict.violations.len());
    }
}

/// Whoever logs in when the server has ended the session. Nothing is lost on the way of a login.
struct Person {
    client: OAuthClient,
    file: FileStorage,
    logins: usize,
}

impl Person {
    async fn log_in(&mut self) -> Result<()> {
        let password = Secret::new(PASSWORD.to_owned());
        let credential =
            self.client.password(USERNAME, &password, &Scope::empty()).await.context("the login failed")?;
        TokenManager::new(self.client.clone(), self.file.clone()).log_in(credential).await?;
        self.logins += 1;
        Ok(())
    }

    async fn log_in_if_asked(&mut self) -> Result<()> {
        let kept = self.file.load().await?;
        if kept.is_none_or(|kept| kept.refresh_token.is_none()) { self.log_in().await } else { Ok(()) }
    }

    async fn watch(&mut self, duration: Duration) -> Result<()> {
        let end = SystemClock.monotonic() + duration;
        while SystemClock.monotonic() < end {
            self.log_in_if_asked().await?;
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    async fn settle(&mut self, tokens: &TokenManager) -> Result<()> {
        for _ in 0..SETTLING_MAX {
            self.log_in_if_asked().await?;
            // Whatever it says, the file tells whether it is over.
            let _ = tokens.access_token().await;
            let kept = self.file.load().await?;
            if kept.is_some_and(|kept| kept.pending.is_none() && kept.refresh_token.is_some()) {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!("the last exchange does not come to its end");
    }
}
