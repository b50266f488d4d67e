use regrant_protocol::Timestamp;
use regrant_store::StoreError;
use serde::{Deserialize, Serialize};

use super::account::form_place;
use super::seal::SealLabel;
use super::session::LoggedIn;
use super::{AccountNotice, Next};
use crate::AuthorizationServer;

/// How long after something was done the account page says so, in seconds: longer than any redirect takes.
const NOTICE_SECONDS: u32 = 60;

/// What was just done, on its way through the address of the account page. It is sealed for one login session, so that no link
/// of somebody else's makes the page say what nobody did.
#[derive(Serialize, Deserialize)]
struct SealedNotice {
    ends_at_milliseconds: i64,
    notice: AccountNotice,
}

impl AuthorizationServer {
    /// Sends the browser to the account page, which says what was done: loading that page again does nothing again.
    pub(super) fn show_notice(&self, who: &LoggedIn, notice: AccountNotice) -> Result<Next, StoreError> {
        let ends_at_milliseconds = self.clock.now().plus_seconds(i64::from(NOTICE_SECONDS)).milliseconds();
        let sealed =
            serde_json::to_vec(&SealedNotice { ends_at_milliseconds, notice }).expect("it is text and numbers");
        Ok(Next::ShowNotice(self.seal(SealLabel::Notice, &form_place(who), &sealed)?))
    }

    /// The notice that the address of the account page carries, if it is one of this session and still news.
    pub(super) async fn open_notice(&self, who: &LoggedIn, text: &str) -> Result<Option<AccountNotice>, StoreError> {
        let plaintext = self.unseal(SealLabel::Notice, &form_place(who), text).await?;
        let sealed = plaintext.and_then(|plaintext| serde_json::from_slice::<SealedNotice>(&plaintext).ok());
        let is_news =
            |sealed: &SealedNotice| self.clock.now() < Timestamp::from_milliseconds(sealed.ends_at_milliseconds);
        Ok(sealed.filter(is_news).map(|sealed| sealed.notice))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::browser::visitor::Visitor;
    use crate::world::World;

    #[tokio::test]
    async fn a_notice_is_said_to_its_session_and_for_a_minute() {
        let world = World::new().await;
        let (mut visitor, mut other) = (Visitor::new(&world), Visitor::new(&world));
        visitor.reach_code("").await;
        other.reach_code("").await;
        let form = visitor.view().await.form;
        let Ok(Next::ShowNotice(sealed)) = visitor.end_all_grants(&format!("form={form}")).await else {
            panic!("the account page says what was done")
        };
        let said = Some(AccountNotice::EverythingDisconnected);
        assert_eq!(visitor.view_with(&sealed).await.notice, said);
        assert_eq!(visitor.view_with(&sealed).await.notice, said, "loaded again");
        assert_eq!(other.view_with(&sealed).await.notice, None, "in another session");
        assert_eq!(visitor.view_with("everything-disconnected").await.notice, None, "what was not sealed");
        assert_eq!(visitor.view_with(&form).await.notice, None, "a seal for something else");
        world.clock.advance_seconds(NOTICE_SECONDS);
        assert_eq!(visitor.view_with(&sealed).await.notice, None, "old news");
    }
}
