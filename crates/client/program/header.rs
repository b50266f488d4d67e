use anyhow::{Context, Result};
use clap::Args;
use http::{HeaderMap, Method, Uri};
use regrant_client::{ApiRequest, TokenType};
use zeroize::Zeroizing;

use crate::common_options::CommonOptions;
use crate::output::write;
use crate::session::Session;
use crate::target_options::TargetOptions;

/// What `header` can be told.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct HeaderOptions {
    /// Where the request goes, if the token is bound to a key (DPoP): the proof is for this request alone.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// What the request does there.
    #[arg(long, value_name = "METHOD", default_value = "GET", requires = "url")]
    method: String,
    #[command(flatten)]
    target: TargetOptions,
}

const EXAMPLES: &str = "\
Examples:
  curl -H @<(regrant-token header) https://api.example/reports
  curl -X POST -H @<(regrant-token header --method POST --url https://api.example/jobs) https://api.example/jobs";

/// Prints the header line with which a request carries the token (RFC 6750 §2.1), and the proof's, where it needs one.
///
/// # Errors
/// When there is no token.
pub(crate) async fn header(common: &CommonOptions, options: HeaderOptions) -> Result<()> {
    let session = Session::open(common)?.for_target(options.target.target()?);
    let granted = session.token().await?;
    if granted.token_type == TokenType::Bearer {
        return write(&Zeroizing::new(format!("Authorization: Bearer {}\n", granted.token.expose())));
    }
    let url = options
        .url
        .context("the token is bound to a key (DPoP), and its proof to one request: say which, with --url URL")?;
    let url: Uri = url.parse().context("--url")?;
    let method: Method = options.method.parse().context("--method")?;
    let mut headers = HeaderMap::new();
    ApiRequest::new(session.tokens()?, method, url).await?.authorize(&mut headers);
    let mut lines = Zeroizing::new(String::new());
    for (name, value) in &headers {
        lines.push_str(&format!("{name}: {}\n", value.to_str().context("a token is visible ASCII")?));
    }
    write(&lines)
}
