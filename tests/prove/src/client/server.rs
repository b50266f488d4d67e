use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use regrant_client::{Authentication, IssuerIdentifier, OAuthClient, Provider, Transport};
use regrant_crypto::SystemEntropy;
use regrant_protocol::{ClientId, Secret};

use super::fast_clock::FastClock;
use crate::dev_server::{self, DevServer};

/// A server that clients get their tokens from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// Ours.
    Regrant,
    /// It rotates, and ends the grant of a refresh token that comes twice.
    OidcProvider,
    /// It rotates, and refuses a refresh token that comes twice.
    Authlib,
    /// It rotates, and knows no refresh token that was used.
    NodeOauth,
}

impl Server {
    /// Its name in results.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Regrant => "regrant",
            Self::OidcProvider => "oidc-provider",
            Self::Authlib => "Authlib",
            Self::NodeOauth => "@node-oauth/oauth2-server",
        }
    }

    /// Whether a client whose answer was lost may have it again.
    pub(crate) const fn has_retry_rule(self) -> bool {
        matches!(self, Self::Regrant)
    }

    /// Starts it, with access tokens that live for so many seconds. What it keeps on disk lies in `data`.
    pub(crate) fn start(self, data: &Path, access_seconds: u32) -> Result<DevServer> {
        let mut command = match self {
            Self::Regrant => {
                let mut regrant = Command::new(dev_server::program()?);
                regrant.args(dev_server::arguments(data)).args(["--access-lifetime", &access_seconds.to_string()]);
                let server = DevServer::start_command(regrant)?;
                allow_passwords(data)?;
                return Ok(server);
            }
            Self::OidcProvider => node("oidc_provider.mjs")?,
            Self::NodeOauth => node("node_oauth2_server.mjs")?,
            Self::Authlib => {
                let mut python = Command::new(installed("python/bin/python")?);
                python.arg(workspace().join("tests/servers/python/authlib_server.py"));
                python
            }
        };
        command.args(["--access-seconds", &access_seconds.to_string()]);
        DevServer::start_command(command).with_context(|| format!("{} does not start", self.name()))
    }
}

/// Lets the public client of the running `regrant dev` on `data` log in without a browser.
fn allow_passwords(data: &Path) -> Result<()> {
    let mut regrant = Command::new(dev_server::program()?);
    regrant.args(["client", "update", PUBLIC_CLIENT, "--grant-types", "password,refresh_token", "--data"]).arg(data);
    let output = regrant.output().context("the program cannot be started")?;
    ensure!(output.status.success(), "the client cannot be changed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// A script for Node, which looks for packages from the link to the script upwards.
fn node(script: &str) -> Result<Command> {
    let mut command = Command::new("node");
    command.args(["--preserve-symlinks", "--preserve-symlinks-main"]);
    command.arg(installed("node/scripts")?.join(script));
    Ok(command)
}

fn installed(path: &str) -> Result<PathBuf> {
    let path = workspace().join("target/servers").join(path);
    ensure!(path.exists(), "{} is not there: `cargo xtask prove client` installs it", path.display());
    Ok(path)
}

fn workspace() -> &'static Path {
    let parent = Path::new(env!("CARGO_MANIFEST_DIR")).parent().and_then(Path::parent);
    parent.expect("this package lies two folders below the workspace")
}

/// The client that the processes are, and whoever logs in for them.
#[derive(Clone, Debug)]
pub(crate) struct Registration {
    /// Who the server is.
    pub(crate) issuer: String,
    /// Whether it proves itself with a secret.
    pub(crate) is_confidential: bool,
}

impl Registration {
    /// The client, whose requests for tokens go to `token_endpoint`.
    pub(crate) fn client(
        &self,
        token_endpoint: &str,
        transport: Arc<dyn Transport>,
        clock: FastClock,
    ) -> Result<OAuthClient> {
        let provider = Provider::new(IssuerIdentifier::parse(&self.issuer)?, token_endpoint)?;
        let (id, authentication) = if self.is_confidential {
            (CONFIDENTIAL_CLIENT, Authentication::Basic(Secret::new(SECRET.to_owned())))
        } else {
            (PUBLIC_CLIENT, Authentication::None)
        };
        Ok(OAuthClient::new(provider, ClientId::parse(id)?, transport)
            .authenticated_by(authentication)
            .with_clock_and_entropy(Arc::new(clock), Arc::new(SystemEntropy)))
    }
}

// All servers know these.
const PUBLIC_CLIENT: &str = "TestApp";
const CONFIDENTIAL_CLIENT: &str = "TestClient";
const SECRET: &str = "TestSecret";
/// The user's name at every server.
pub(crate) const USERNAME: &str = "bshaffer";
/// The user's password at every server.
pub(crate) const PASSWORD: &str = "brent123";
