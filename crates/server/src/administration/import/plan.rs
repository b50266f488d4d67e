//! What becomes of the rows of a source: found out by the survey, followed when writing.

use std::collections::{BTreeMap, BTreeSet};

use regrant_engine::broken_rules;
use regrant_import::load::{
    KnownScopes, LoadedClient, RefreshLifetime, StagedTokens, TokenTerms, load_client, load_user, subject_of,
};
use regrant_import::{ForeignClient, ForeignUser, Kind, Origin, RowProblem, Survey};
use regrant_protocol::{ClientId, Scope, Subject};
use regrant_store::{ClientDefaults, User};

use super::credentials::{PasswordForm, fault_of};
use super::profile::shown_profile;
use super::tally::Tally;

/// The most clients of a source: all of them are at hand while tokens are read.
pub(super) const CLIENTS_MAX: usize = 100_000;
/// The most problems and remarks that are kept, for people to read; all are counted.
pub(super) const TOLD_MAX: usize = 100;

/// Why a token is left behind though it is in good order.
pub(super) const OF_NOBODY: &str = "of no user: its client gets another by itself";
/// Why a token or a consent is left behind though it is in good order.
pub(super) const OF_LEFT_OUT_CLIENT: &str = "of a client that is left out";
/// Why a token or a consent is left behind though it is in good order.
pub(super) const OF_LEFT_OUT_USER: &str = "of a user that is left out";

/// What a survey found out.
pub(super) struct Plan {
    /// Every client that can be taken over.
    pub(super) clients: BTreeMap<ClientId, PlannedClient>,
    /// The names of all clients, which no user may have.
    pub(super) names: BTreeSet<ClientId>,
    /// What the server knew.
    pub(super) scopes: KnownScopes,
    /// Every live token of a user.
    pub(super) tokens: StagedTokens,
    /// How passwords were hashed.
    pub(super) passwords: PasswordForm,
    /// What would become of every row.
    pub(super) tally: Tally,
    /// The first rows that are broken.
    pub(super) problems: Vec<RowProblem>,
    /// Clients that are broken only when looked at closely.
    pub(super) refused_clients: Vec<RowProblem>,
    /// What was put right, or is lost, by what it was said of.
    pub(super) remarks: Remarks,
    /// What the readers counted.
    pub(super) survey: Survey,
    /// Why everything may be wrong: the clock.
    pub(super) doubt: Option<String>,
}

/// A client that can be taken over.
pub(super) struct PlannedClient {
    pub(super) foreign: ForeignClient,
    pub(super) loaded: LoadedClient,
    pub(super) terms: TokenTerms,
}

/// What people should know, once for each text: of whom, and of how many.
#[derive(Clone, Debug, Default)]
pub(super) struct Remarks(BTreeMap<String, (Vec<String>, u64)>);

/// How many are named of whom the same is said.
const NAMED_MAX: usize = 5;

impl Remarks {
    /// Says `text` of `whom`.
    pub(super) fn add(&mut self, text: String, whom: &str) {
        if self.0.len() >= TOLD_MAX && !self.0.contains_key(&text) {
            return;
        }
        let (named, count) = self.0.entry(text).or_default();
        *count += 1;
        if named.len() < NAMED_MAX {
            named.push(whom.to_owned());
        }
    }

    /// Each text, and of whom it is said.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(text, (named, count))| {
            let more = count - named.len() as u64;
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{}{more}: {text}", named.join(", "))
        })
    }
}

impl Plan {
    /// Whether `--on-error stop` stops.
    pub(super) fn has_problems(&self) -> bool {
        self.tally.broken() > 0 || self.doubt.is_some()
    }

    /// What is wrong, in one sentence.
    pub(super) fn told(&self) -> String {
        match (&self.doubt, self.tally.broken()) {
            (Some(doubt), 0) => doubt.clone(),
            (_, 1) => format!("1 row is broken, {}", self.problems[0]),
            (_, broken) => format!("{broken} rows are broken, the first: {}", self.problems[0]),
        }
    }

    /// Notes a broken row.
    pub(super) fn break_row(&mut self, problem: RowProblem) {
        self.tally.of(problem.kind).broken += 1;
        if self.problems.len() < TOLD_MAX {
            self.problems.push(problem);
        }
    }

    /// Decides about the clients, when all is known that counts for them.
    pub(super) fn settle_clients(
        &mut self,
        clients: Vec<ForeignClient>,
        defaults: &ClientDefaults,
        endless: RefreshLifetime,
    ) {
        for foreign in clients {
            match plan_client(foreign, defaults, &self.scopes, endless) {
                Ok(planned) => {
                    for remark in &planned.loaded.remarks {
                        self.remarks.add(remark.clone(), &format!("client {}", planned.foreign.id));
                    }
                    self.tally.of(Kind::Client).taken_over += 1;
                    self.clients.insert(planned.foreign.id.clone(), planned);
                }
                Err(problem) => {
                    self.refused_clients.push(problem.clone());
                    self.break_row(problem);
                }
            }
        }
    }

    /// Notes the scope of a live token.
    pub(super) fn see_scope(&mut self, client: &ClientId, scope: Option<&Scope>) {
        if let Some(scope) = scope {
            self.scopes.see(client, scope);
        }
    }

    /// How the user of a token or a consent is called here.
    pub(super) fn subject(&self, name: &str, kind: Kind, origin: &Origin) -> Result<Subject, RowProblem> {
        subject_of(name, &self.names).map_err(|error| RowProblem {
            kind,
            origin: origin.clone(),
            column: "user".to_owned(),
            fault: error.to_string(),
            remedy: "give the user another name in the old database",
            is_truncation: false,
        })
    }

    /// What a user becomes; and what is wrong with the password, without which they are taken over where broken rows are skipped.
    pub(super) fn user(&self, foreign: &ForeignUser) -> Result<(User, Option<RowProblem>), RowProblem> {
        let problem = |column: &str, fault: String, remedy| RowProblem {
            kind: Kind::User,
            origin: foreign.origin.clone(),
            column: column.to_owned(),
            fault,
            remedy,
            is_truncation: false,
        };
        let subject = self.subject(&foreign.subject, Kind::User, &foreign.origin)?;
        let user = load_user(foreign, subject).map_err(|error| {
            let fault = format!("{:?} cannot be a login name: {error}", foreign.username);
            problem("username", fault, "give the user another name in the old database")
        })?;
        let (profile, _) = shown_profile(&user.profile);
        let user = User { profile, ..user };
        match self.passwords.keep(&foreign.password) {
            Ok(credential) => Ok((User { credential, ..user }, None)),
            Err(fault) => {
                let remedy = "let the user set a new password; with --on-error skip they are taken over without one";
                Ok((user, Some(problem("password", fault, remedy))))
            }
        }
    }
}

fn plan_client(
    foreign: ForeignClient,
    defaults: &ClientDefaults,
    scopes: &KnownScopes,
    endless: RefreshLifetime,
) -> Result<PlannedClient, RowProblem> {
    let problem = |column: &str, fault: String, remedy| RowProblem {
        kind: Kind::Client,
        origin: foreign.origin.clone(),
        column: column.to_owned(),
        fault,
        remedy,
        is_truncation: false,
    };
    if let Some(fault) = fault_of(&foreign.secret) {
        return Err(problem("secret", fault, "give the client another secret at both ends"));
    }
    let loaded = load_client(&foreign, defaults, scopes);
    if let Some(rule) = broken_rules(loaded.kind, &loaded.settings).into_iter().next() {
        let remedy = "change the client in the old database, or leave it behind and register it anew";
        return Err(problem(rule.setting().unwrap_or("settings"), rule.to_string(), remedy));
    }
    let terms = TokenTerms::of(&foreign, &loaded.settings, endless);
    Ok(PlannedClient { foreign, loaded, terms })
}
