use std::io::{self, IsTerminal as _};

use anyhow::Result;
use clap::Args;
use regrant_client::{Credential, OAuthClient};
use regrant_protocol::Scope;

use crate::browser::{self, Opening};
use crate::common_options::CommonOptions;
use crate::device;
use crate::problem::Problem;

/// How a person logs in. Without a word: with a browser on a desktop, on another device elsewhere.
#[derive(Args, Clone, Copy, Debug)]
#[group(multiple = false)]
pub(crate) struct PersonOptions {
    /// Open a browser on this machine, even without a terminal.
    #[arg(long)]
    browser: bool,
    /// Open nothing: show the address that somebody has to open in a browser on this machine.
    #[arg(long)]
    print_url: bool,
    /// Show an address and a code for a browser on another device (RFC 8628).
    #[arg(long)]
    device: bool,
}

impl PersonOptions {
    pub(crate) const fn is_said(self) -> bool {
        self.browser || self.print_url || self.device
    }

    /// Fails at once where nobody can act.
    ///
    /// # Errors
    /// [`Problem::NobodyHere`] without a terminal, unless somebody has said that a person is elsewhere.
    pub(crate) fn check(self, common: &CommonOptions) -> Result<()> {
        let is_watched = io::stderr().is_terminal() && io::stdin().is_terminal();
        if common.no_input || !(self.is_said() || is_watched) {
            return Err(Problem::NobodyHere.into());
        }
        Ok(())
    }

    /// Has a person log in.
    ///
    /// # Errors
    /// When nobody can act or does, or the server gives no tokens.
    pub(crate) async fn log_in(
        self,
        common: &CommonOptions,
        client: &OAuthClient,
        scope: &Scope,
    ) -> Result<Credential> {
        self.check(common)?;
        let is_offered = client.provider().device_authorization_endpoint.is_some();
        let is_on_a_desktop = browser::is_on_a_desktop();
        if self.device || (!self.is_said() && !is_on_a_desktop && is_offered) {
            return device::log_in(client, scope).await;
        }
        let is_opened = self.browser || (!self.print_url && is_on_a_desktop);
        browser::log_in(client, scope, if is_opened { Opening::Browser } else { Opening::ByHand }).await
    }
}
