use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::common_options::CommonOptions;
use crate::output::JSON_VERSION;
use crate::session::Session;
use crate::target_options::TargetOptions;

/// What `get` can be told.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct GetOptions {
    /// An API has refused the last token (status 401): print another one.
    #[arg(long)]
    refused: bool,
    #[command(flatten)]
    target: TargetOptions,
}

const EXAMPLES: &str = "\
Examples:
  TOKEN=$(regrant-token get)
  regrant-token get --refused
  regrant-token get --name work --json
  regrant-token get --resource https://calendar.example --scope read";

/// A token, and what is known of it.
#[derive(Serialize)]
struct Got<'a> {
    version: u8,
    access_token: &'a str,
    token_type: &'static str,
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

/// Prints an access token that is valid now, and nothing else.
///
/// # Errors
/// When there is none.
pub(crate) async fn get(common: &CommonOptions, options: GetOptions) -> Result<()> {
    let session = Session::open(common)?.for_target(options.target.target()?);
    let granted = if options.refused { session.token_after_refusal(None).await? } else { session.token().await? };
    let answer = Got {
        version: JSON_VERSION,
        access_token: granted.token.expose(),
        token_type: granted.token_type.scheme(),
        scope: granted.scope.as_str(),
        expires_at: granted.expires_at.map(|end| end.to_rfc3339()),
    };
    common.output().answer(&answer, |answer| format!("{}\n", answer.access_token))
}
