//! What becomes of the rows of a source: found out by the survey, followed when writing.

use std::collections::{BTreeMap, BTreeSet};

use regrant_engine::broken_rules;
use regrant_import::load::{
    KnownScopes, LoadedClient, RefreshLifetime, StagedTokens, TokenTerms, load_client, load_user,
};
use regrant_import::{ForeignClient, ForeignPassword, ForeignUser, Kind, Origin, RowProblem, Survey, shortened};
use regrant_protocol::{ClientId, Scope, Subject};
use regrant_store::{ClientDefaults, User, subject_of};

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
/// Why a scope is left behind.
pub(super) const OF_NO_CLIENT: &str = "no client may ask for it";
/// Why a scope is left behind.
pub(super) const LISTED_BEFORE: &str = "listed before, or one of more than can be remembered";

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
    /// How many clients are broken only when looked at closely.
    pub(super) refused_clients: u64,
    /// What was put right, or is lost, by what it was said of.
    pub(super) remarks: Remarks,
    /// What the readers counted.
    pub(super) survey: Survey,
    /// Why everything may be wrong: the clock.
    pub(super) doubt: Option<String>,
    /// How many users only tokens name.
    pub(super) users_to_make: u64,
}

/// A client that can be taken over.
pub(super) struct PlannedClient {
    pub(super) foreign: ForeignClient,
    pub(super) loaded: LoadedClient,
    pub(super) terms: TokenTerms,
}

/// What a user becomes.
pub(super) struct PlannedUser {
    /// As they are kept.
    pub(super) user: User,
    /// What is wrong with the password, without which they are taken over where broken rows are skipped.
    pub(super) password_problem: Option<RowProblem>,
    /// What of them is left away.
    pub(super) remarks: Vec<String>,
}

/// What people should know, once for each text: of whom, and of how many.
#[derive(Clone, Debug, Default)]
pub(super) struct Remarks(BTreeMap<String, (Vec<String>, u64)>);

/// How many are named of whom the same is said.
const NAMED_MAX: usize = 5;

impl Remarks {
    /// Says `text` of `whom`.
    pub(super) fn add(&mut self, text: String, whom: &str) {
        let text = shortened(&text);
        if self.0.len() >= TOLD_MAX && !self.0.contains_key(&text) {
            return;
        }
        let (named, count) = self.0.entry(text).or_default();
        *count += 1;
        if named.len() < NAMED_MAX {
            named.push(shortened(whom));
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
    /// What is wrong, in one sentence.
    pub(super) fn told(&self) -> String {
        match (&self.doubt, self.tally.broken()) {
            (Some(doubt), _) => doubt.clone(),
            (None, 1) => format!("1 row is broken, {}", self.problems[0]),
            (None, broken) => format!("{broken} rows are broken, the first: {}", self.problems[0]),
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
                    self.refused_clients += 1;
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
        subject_of(name, |client| self.names.contains(client))
            .map_err(|error| RowProblem::new(kind, origin.clone(), "user", &error.to_string(), RENAME))
    }

    /// What a user becomes. Whatever their tokens can do without is left away and told.
    ///
    /// # Errors
    /// When they cannot be called here as in the old database, nor as anything like it.
    pub(super) fn user(&self, foreign: &ForeignUser) -> Result<PlannedUser, RowProblem> {
        let problem = |column: &str, fault: &str, remedy| {
            RowProblem::new(Kind::User, foreign.origin.clone(), column, fault, remedy)
        };
        let subject = self.subject(&foreign.subject, Kind::User, &foreign.origin)?;
        let mut remarks = foreign.remarks.clone();
        let user = load_user(foreign, subject.clone()).or_else(|error| {
            remarks.push(format!("{:?} cannot be a login name ({error}): they log in as {subject}", foreign.username));
            let by_subject = ForeignUser { username: subject.to_string(), ..foreign.clone() };
            load_user(&by_subject, subject).map_err(|error| problem("username", &error.to_string(), RENAME))
        })?;
        let (profile, dropped) = shown_profile(&user.profile);
        remarks.extend(dropped.iter().map(|claim| format!("{claim} is left out: it cannot be shown to people")));
        let user = User { profile, ..user };
        let remedy = "let the user set a new password; with --on-error skip they are taken over without one";
        Ok(match self.passwords.keep(&foreign.password) {
            Ok(credential) => PlannedUser { user: User { credential, ..user }, password_problem: None, remarks },
            Err(fault) => {
                let column = if let ForeignPassword::Unreadable { column, .. } = &foreign.password {
                    column
                } else {
                    "password"
                };
                PlannedUser { user, password_problem: Some(problem(column, &fault, remedy)), remarks }
            }
        })
    }

    /// Decides about the scopes, when that is done about the clients: one that no client may ask for is nobody's.
    pub(super) fn settle_scopes(&mut self) {
        let of_clients = self.scopes_of(|_| true);
        for name in self.scopes.names() {
            if of_clients.contains(&name) {
                self.tally.of(Kind::Scope).taken_over += 1;
            } else {
                self.tally.leave_out(Kind::Scope, OF_NO_CLIENT);
            }
        }
    }

    /// The listed scopes that those of the clients may ask for that are meant.
    pub(super) fn scopes_of(&self, is_meant: impl Fn(&ClientId) -> bool) -> BTreeSet<String> {
        let meant = self.clients.iter().filter(|(id, _)| is_meant(id));
        self.scopes.listed_in(meant.map(|(_, planned)| &planned.loaded.settings.scope))
    }
}

const RENAME: &str = "give the user another name in the old database";

fn plan_client(
    foreign: ForeignClient,
    defaults: &ClientDefaults,
    scopes: &KnownScopes,
    endless: RefreshLifetime,
) -> Result<PlannedClient, RowProblem> {
    let problem = |column: &str, fault: &str, remedy| {
        RowProblem::new(Kind::Client, foreign.origin.clone(), column, fault, remedy)
    };
    if let Some(fault) = fault_of(&foreign.secret) {
        return Err(problem("secret", &fault, "give the client another secret at both ends"));
    }
    let loaded = load_client(&foreign, defaults, scopes);
    if let Some(rule) = broken_rules(loaded.kind, &loaded.settings).into_iter().next() {
        let remedy = "change the client in the old database, or leave it behind and register it anew";
        return Err(problem(rule.setting().unwrap_or("settings"), &rule.to_string(), remedy));
    }
    let terms = TokenTerms::of(&foreign, &loaded.settings, endless);
    Ok(PlannedClient { foreign, loaded, terms })
}
