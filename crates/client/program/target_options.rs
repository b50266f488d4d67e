use anyhow::{Context, Result};
use clap::Args;
use regrant_client::Target;
use regrant_protocol::{Resources, Scope};

/// What a token is to be good for, where that is not all that the login was given.
#[derive(Args, Clone, Debug)]
pub(crate) struct TargetOptions {
    /// Have a token for this API alone (RFC 8707); may be given more than once.
    #[arg(long, value_name = "URI")]
    resource: Vec<String>,
    /// Have a token that is good for this alone.
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
}

impl TargetOptions {
    /// The target that was asked for; `None` for that of the login.
    ///
    /// # Errors
    /// When a resource or the scope is none.
    pub(crate) fn target(&self) -> Result<Option<Target>> {
        if self.resource.is_empty() && self.scope.is_none() {
            return Ok(None);
        }
        let resources = Resources::parse(self.resource.iter().map(String::as_str)).context("--resource")?;
        let scope = Scope::parse(self.scope.as_deref().unwrap_or_default()).context("--scope")?;
        Ok(Some(Target { resources, scope }))
    }
}
