use regrant_grant::GrantId;

use super::authorize::check_request;
use super::due::{Due, due};
use super::errand::AuthorizationErrand;
use super::issue::Approval;
use super::{Browser, BrowserError, LoginProblem, Step};
use crate::AuthorizationServer;
use crate::client_authentication::ATTEMPTS_MAX;

/// A page of this browser in which the request waits for its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    /// The sealed request.
    pub(super) request: String,
    /// The grant that it may lead to.
    pub(super) grant: GrantId,
}

/// What the user has said to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Nothing yet.
    None,
    /// Something that does not count, as the page was not of this session or open for too long: they are asked again.
    Outdated,
    /// Yes, to the scope names whose boxes are ticked.
    Allow(Vec<String>),
    /// No.
    Deny,
    /// That another account is to be used.
    Switch,
}

impl AuthorizationServer {
    /// Brings an authorization one step further: to the next page, or back to the client.
    pub(super) async fn proceed(
        &self,
        browser: &Browser,
        errand: AuthorizationErrand,
        waiting: Option<Waiting>,
        answer: Answer,
    ) -> Result<Step, BrowserError> {
        for _ in 0..ATTEMPTS_MAX {
            match self.proceed_once(browser, &errand, waiting.as_ref(), &answer).await {
                // Client, user or session are not any more as they were looked at.
                Err(BrowserError::Changed) => {}
                step => return step,
            }
        }
        Err(BrowserError::Changed)
    }

    async fn proceed_once(
        &self,
        browser: &Browser,
        errand: &AuthorizationErrand,
        waiting: Option<&Waiting>,
        answer: &Answer,
    ) -> Result<Step, BrowserError> {
        let found = self.client_of(errand).await?;
        let client = &found.client;
        let scope = match check_request(&client.settings, &errand.request) {
            Ok(scope) => scope,
            Err(error) => return Ok(self.refuse(errand, error.error, &error.error_description)),
        };
        let who = self.logged_in(browser).await?;
        let given = match &who {
            Some(who) => self.store.consent(&who.user.subject, &client.id).await?,
            None => None,
        };
        let session = who.as_ref().map(|who| &who.session);
        let due = due(errand, &scope, session, given.as_ref(), &client.settings);
        if let Due::Refusal(code, description) = due {
            return Ok(self.refuse(errand, code, description));
        }
        let Some(who) = who.as_ref().filter(|_| due != Due::LogIn) else {
            let problem = (*answer == Answer::Outdated).then_some(LoginProblem::Outdated);
            return Ok(self.ask_to_log_in(browser, errand, client, who.as_ref(), problem)?);
        };
        let approval = Approval { browser, errand, client, who, waiting };
        match (due, answer) {
            (_, Answer::Deny) => {
                self.take_back(approval).await?;
                Ok(self.deny(approval, "the user did not agree"))
            }
            (_, Answer::Switch) => Ok(self.ask_for_another_user(browser, errand, client)?),
            (_, Answer::Allow(names)) => self.agree(approval, given, &scope, names).await,
            (Due::Code(scope), Answer::None) => self.give_code(approval, scope).await,
            (_, Answer::None) => Ok(self.ask_to_consent(approval, &scope, false)?),
            (_, Answer::Outdated) => Ok(self.ask_to_consent(approval, &scope, true)?),
        }
    }
}
