//! The first pass: everything is read, and whatever is wrong is found before anything is written.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Error, Result, bail};
use regrant_import::load::{KnownScopes, StagedTokens};
use regrant_import::{
    ClockDoubt, ForeignClient, ForeignUser, Item, Kind, Origin, Reader, Record, RowProblem, Survey, TokenUser,
    survey_each,
};
use regrant_protocol::ClientId;
use regrant_store::ClientDefaults;

use super::super::progress::Progress;
use super::credentials::PasswordForm;
use super::options::{ImportOptions, OnError};
use super::plan::{CLIENTS_MAX, LISTED_BEFORE, OF_LEFT_OUT_CLIENT, OF_NOBODY, Plan, Remarks};
use super::tally::Tally;

/// Reads all of a source, and plans what becomes of it.
///
/// # Errors
/// When it cannot be read, or is beyond a bound.
pub(super) async fn survey(
    reader: &mut Reader,
    options: &ImportOptions,
    defaults: ClientDefaults,
    progress: &mut Progress,
) -> Result<Plan> {
    let mut surveyor = Surveyor::new(options)?;
    let survey = survey_each(reader, |item| {
        progress.advance(1);
        surveyor.see(item)
    })
    .await?;
    let Surveyor { mut plan, clients, tokens_of, .. } = surveyor;
    plan.settle_clients(clients, &defaults, options.endless());
    plan.settle_scopes();
    for ((kind, client), count) in tokens_of {
        if plan.clients.contains_key(&client) {
            plan.tally.of(kind).taken_over += count;
        } else {
            *plan.tally.of(kind).left_out.entry(OF_LEFT_OUT_CLIENT.to_owned()).or_default() += count;
        }
    }
    plan.tokens.sort()?;
    plan.users_to_make = plan.tokens.users_without_a_row(|client| plan.clients.contains_key(client))?;
    plan.doubt = doubt(&survey, options);
    plan.survey = survey;
    Ok(plan)
}

const TOLD_OTHERWISE: &str =
    "tokens called them something else, which applications had chosen; `sub` is the name of the user now";

struct Surveyor {
    plan: Plan,
    clients: Vec<ForeignClient>,
    /// Live tokens and consents by client.
    tokens_of: BTreeMap<(Kind, ClientId), u64>,
    skips: bool,
}

impl Surveyor {
    fn new(options: &ImportOptions) -> Result<Self> {
        let plan = Plan {
            clients: BTreeMap::new(),
            names: BTreeSet::new(),
            scopes: KnownScopes::default(),
            tokens: StagedTokens::new()?,
            passwords: PasswordForm::of(options)?,
            tally: Tally::default(),
            problems: Vec::new(),
            refused_clients: 0,
            remarks: Remarks::default(),
            survey: Survey::default(),
            doubt: None,
            users_to_make: 0,
        };
        let skips = options.on_error == OnError::Skip;
        Ok(Self { plan, clients: Vec::new(), tokens_of: BTreeMap::new(), skips })
    }

    fn see(&mut self, item: &Item) -> Result<(), Error> {
        match item {
            Item::Record(record) => self.see_record(record)?,
            Item::LeftOut(left_out) => self.plan.tally.leave_out(left_out.kind, &left_out.reason.to_string()),
            Item::Problem(problem) => self.plan.break_row(problem.clone()),
        }
        Ok(())
    }

    fn see_record(&mut self, record: &Record) -> Result<(), Error> {
        match record {
            Record::Scope(scope) => {
                if !self.plan.scopes.list(scope) {
                    self.plan.tally.leave_out(Kind::Scope, LISTED_BEFORE);
                }
            }
            Record::Client(client) => {
                if self.clients.len() == CLIENTS_MAX {
                    bail!("there are more than {CLIENTS_MAX} clients, which is the most that are taken over at once");
                }
                self.plan.names.insert(client.id.clone());
                self.clients.push((**client).clone());
            }
            Record::User(user) => self.see_user(user),
            Record::Consent(consent) => {
                let subject = self.plan.subject(&consent.subject, Kind::Consent, &consent.origin);
                self.count(Kind::Consent, &consent.client, subject.err());
            }
            Record::RefreshToken(token) => {
                self.plan.see_scope(&token.client, token.scope.as_ref());
                let (kind, user) = (Kind::RefreshToken, token.user.as_ref());
                if let Some(user) = self.user_of_token(kind, user, &token.origin, &token.client) {
                    self.plan.tokens.add_refresh(token, user)?;
                }
            }
            Record::AccessToken(token) => {
                self.plan.see_scope(&token.client, token.scope.as_ref());
                let (kind, user) = (Kind::AccessToken, token.user.as_ref());
                if let Some(user) = self.user_of_token(kind, user, &token.origin, &token.client) {
                    self.plan.tokens.add_access(token, user)?;
                }
            }
        }
        Ok(())
    }

    fn see_user(&mut self, foreign: &ForeignUser) {
        let planned = match self.plan.user(foreign) {
            Ok(planned) => planned,
            Err(problem) => return self.plan.break_row(problem),
        };
        for remark in planned.remarks {
            self.plan.remarks.add(remark, &foreign.origin.to_string());
        }
        match planned.password_problem {
            Some(problem) if self.skips => {
                let told = format!("they have no password here: column {}, {}", problem.column, problem.fault);
                self.plan.remarks.add(told, &foreign.origin.to_string());
                self.plan.tally.of(Kind::User).taken_over += 1;
            }
            Some(problem) => self.plan.break_row(problem),
            None => self.plan.tally.of(Kind::User).taken_over += 1,
        }
    }

    /// Whom a token speaks for, unless it is left behind, which is then counted.
    fn user_of_token<'a>(
        &mut self,
        kind: Kind,
        user: Option<&'a TokenUser>,
        origin: &Origin,
        client: &ClientId,
    ) -> Option<&'a TokenUser> {
        let Some(user) = user else {
            self.plan.tally.leave_out(kind, OF_NOBODY);
            return None;
        };
        if user.told_as.is_some() {
            let whom = format!("user {}", user.subject);
            self.plan.remarks.add(TOLD_OTHERWISE.to_owned(), &whom);
        }
        let problem = self.plan.subject(&user.subject, kind, origin).err();
        let is_right = problem.is_none();
        self.count(kind, client, problem);
        is_right.then_some(user)
    }

    fn count(&mut self, kind: Kind, client: &ClientId, problem: Option<RowProblem>) {
        match problem {
            Some(problem) => self.plan.break_row(problem),
            None => *self.tokens_of.entry((kind, client.clone())).or_default() += 1,
        }
    }
}

/// What speaks against the time zone, unless somebody has accepted it: an end in the future that nobody gave, or a silence that
/// another zone explains.
fn doubt(survey: &Survey, options: &ImportOptions) -> Option<String> {
    match survey.clock_doubt? {
        ClockDoubt::Behind { .. } if !options.has_zone() => None,
        _ if options.accept_clock => None,
        doubt @ (ClockDoubt::Ahead { .. } | ClockDoubt::Behind { .. }) => Some(doubt.to_string()),
    }
}
