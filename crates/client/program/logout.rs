use anyhow::Result;
use regrant_client::LogOut;
use serde::Serialize;

use crate::common_options::CommonOptions;
use crate::directory::Directory;
use crate::output::JSON_VERSION;
use crate::profile_name::ProfileName;
use crate::session::Session;

/// What has come of a logout.
#[derive(Serialize)]
struct LoggedOut<'a> {
    version: u8,
    profile: &'a ProfileName,
    session: &'static str,
}

/// Removes tokens and profile, and ends the session at the server.
///
/// # Errors
/// When the tokens cannot be removed.
pub(crate) async fn logout(common: &CommonOptions) -> Result<()> {
    let session = Session::open(common)?;
    let outcome = session.tokens().log_out().await?;
    Directory::find()?.remove_profile(&session.name)?;
    let (word, told) = match &outcome {
        LogOut::Revoked => ("revoked", "the server has ended the session".to_owned()),
        LogOut::NothingToRevoke => ("nothing_to_revoke", "there was no session to end at the server".to_owned()),
        LogOut::NotOffered => {
            ("not_offered", "the server offers no way to end the session: it lives there until it expires".to_owned())
        }
        LogOut::Unconfirmed(failure) => {
            ("unconfirmed", format!("the server did not confirm that the session has ended: {failure}"))
        }
    };
    let name = &session.name;
    let answer = LoggedOut { version: JSON_VERSION, profile: name, session: word };
    common.output().done(&answer, &format!("the tokens of profile {name} are removed; {told}"))
}
