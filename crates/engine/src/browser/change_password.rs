use regrant_crypto::random;
use regrant_protocol::{Params, Secret};
use regrant_store::{Credential, UserChange};

use super::new_password::chosen;
use super::session::LoggedIn;
use super::{AccountNotice, Browser, BrowserError, LoginProblem, Next, PasswordProblem, Step};
use crate::{AuthorizationServer, Happening};

impl AuthorizationServer {
    /// `POST /account/password`: the fields `current_password`, `new_password`, the same again as `new_password_again` and,
    /// where it is ticked, `end_everything`, which ends all grants and all other login sessions of the user too.
    ///
    /// # Errors
    /// [`BrowserError`], to be shown on a page. A wrong password is none: the account page says so.
    pub async fn change_password(&self, browser: &Browser, params: &Params) -> Result<Step, BrowserError> {
        let Some(who) = self.logged_in(browser).await? else { return Ok(Step::from(Next::ToAccount)) };
        self.check_form(&who, params).await?;
        if who.user.credential.is_none() {
            return Ok(Step::from(Next::ToAccount));
        }
        let password = |name| Secret::new(params.get(name).unwrap_or_default().to_owned());
        let (current, again) = (password("current_password"), password("new_password_again"));
        let new = (password("new_password"), &again);
        let new = match chosen(new, &current, who.user.username.as_str(), &self.issuer) {
            Ok(new) => new,
            Err(problem) => return self.account_page(&who, None, Some(problem)).await,
        };
        let notice = match self.replace_password(browser, &who, &current, new).await? {
            Err(problem) => return self.account_page(&who, None, Some(problem)).await,
            Ok(()) if params.get("end_everything").is_some() => {
                // After the password: nobody can begin with the old one what is ended here.
                self.store.end_sessions(&who.user.subject, Some(who.session.id)).await?;
                self.end_everything_granted(browser, &who).await?;
                AccountNotice::PasswordChangedAndEverythingEnded
            }
            Ok(()) => AccountNotice::PasswordChanged,
        };
        Ok(Step::from(self.show_notice(&who, notice)?))
    }

    async fn replace_password(
        &self,
        browser: &Browser,
        who: &LoggedIn,
        current: &Secret,
        new: Secret,
    ) -> Result<Result<(), PasswordProblem>, BrowserError> {
        if let Err(problem) = self.attempt_again(browser, who, current).await? {
            return Ok(Err(PasswordProblem::Current(problem)));
        }
        let Ok(hash) = self.hashing.hash(new, random(&*self.entropy)).await else {
            return Ok(Err(PasswordProblem::Current(LoginProblem::Overloaded)));
        };
        let Some(hash) = hash else { return Ok(Err(PasswordProblem::TooLong)) };
        let credential = Credential::new(hash.expose().to_owned());
        // Whoever set another meanwhile, such as an operator who locks out a thief, has the last word.
        let change = UserChange::Password { seen_version: Some(who.user.version), credential };
        self.store.change_user(&who.user.subject, change).await?;
        self.tell(&browser.context, Happening::PasswordChanged { subject: &who.user.subject });
        Ok(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use regrant_crypto::PASSWORD_BYTES_MAX;

    use super::*;
    use crate::browser::AccountView;
    use crate::browser::visitor::{Visitor, login_prompt};
    use crate::world::World;

    async fn change(visitor: &mut Visitor<'_>, rest: &str) -> AccountView {
        let form = visitor.view().await.form;
        match visitor.change_password(&format!("form={form}&{rest}")).await {
            Ok(Next::Account(view)) => view,
            Ok(Next::ShowNotice(notice)) => visitor.view_with(&notice).await,
            other => panic!("no account page: {other:?}"),
        }
    }

    #[tokio::test]
    async fn a_password_is_changed_only_by_who_knows_it() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        visitor.reach_code("").await;
        let wrong = PasswordProblem::Current(LoginProblem::Credentials);
        let long = "x".repeat(PASSWORD_BYTES_MAX + 1);
        for (current, new, again, problem) in [
            ("wrong", "looking-glass", "looking-glass", Some(wrong)),
            ("", "looking-glass", "looking-glass", Some(wrong)),
            ("wonderland", "1234567", "1234567", Some(PasswordProblem::TooShort)),
            ("wonderland", "éééé", "éééé", Some(PasswordProblem::TooShort)),
            ("wonderland", &long, &long, Some(PasswordProblem::TooLong)),
            ("wonderland", "looking-glass", "looking-grass", Some(PasswordProblem::Mismatch)),
            ("wonderland", "looking-glass", "", Some(PasswordProblem::Mismatch)),
            ("wonderland", "wonderland", "wonderland", Some(PasswordProblem::Unchanged)),
            ("wonderland", "alice1865", "alice1865", Some(PasswordProblem::Guessable)),
            ("wonderland", "looking-glass", "looking-glass", None),
            ("wonderland", "looking-glass", "looking-glass", Some(wrong)),
        ] {
            let fields = format!("current_password={current}&new_password={new}&new_password_again={again}");
            let view = change(&mut visitor, &fields).await;
            assert_eq!(view.password_problem, problem, "{fields}");
            assert_eq!(view.notice.is_some(), problem.is_none(), "{fields}");
        }
        let mut elsewhere = Visitor::new(&world);
        let prompt = login_prompt(elsewhere.authorize("").await);
        assert!(matches!(elsewhere.log_in(&prompt.request, "alice", "looking-glass").await, Ok(Next::Resume(_))));
    }

    /// Whoever has read the user before that, at whatever node, has checked a password that is another by now.
    #[tokio::test]
    async fn a_password_that_an_operator_sets_meanwhile_stays() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        visitor.reach_code("").await;
        let browser = visitor.browser();
        let who = world.server.logged_in(&browser).await.unwrap().unwrap();
        let secret = |text: &str| Secret::new(text.to_owned());
        // The same text, so that the check itself finds nothing.
        world.server.set_password(&world.alice, secret("wonderland")).await.unwrap();
        let set = world.server.store.user(&world.alice).await.unwrap();
        let replaced =
            world.server.replace_password(&browser, &who, &secret("wonderland"), secret("looking-glass")).await;
        assert_eq!(replaced, Err(BrowserError::Changed));
        assert_eq!(world.server.store.user(&world.alice).await.unwrap(), set);
    }

    #[tokio::test]
    async fn a_new_password_ends_everything_else_where_the_user_wants_it() {
        for (rest, ends) in [("", false), ("&end_everything=on", true)] {
            let world = World::new().await;
            let (mut here, mut elsewhere) = (Visitor::new(&world), Visitor::new(&world));
            let tokens = world.redeem(&elsewhere.reach_code("").await, "").await.unwrap();
            let prompt = login_prompt(here.account().await);
            here.log_in(&prompt.request, "alice", "wonderland").await.unwrap();
            let fields = "current_password=wonderland&new_password=looking-glass&new_password_again=looking-glass";
            change(&mut here, &format!("{fields}{rest}")).await;
            here.view().await;
            assert_eq!(world.refresh(&tokens, "").await.is_err(), ends, "{rest}");
            assert_eq!(matches!(elsewhere.account().await, Ok(Next::LogIn(_))), ends, "{rest}");
        }
    }
}
