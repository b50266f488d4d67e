//! The protocol of Docker's credential helpers. Errors go to standard output there: Docker reads them from nowhere else.

use std::collections::BTreeMap;
use std::io::{self, Read as _};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::common_options::CommonOptions;
use crate::directory::Directory;
use crate::error_text::error_text;
use crate::git::is_secure;
use crate::host::profile_for;
use crate::host_name::HostName;
use crate::output::{write, write_json};
use crate::session::Session;

/// What `docker` can be told.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DockerOptions {
    /// What Docker asks for. The registry follows on standard input.
    #[arg(value_name = "OPERATION")]
    operation: Operation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Operation {
    Get,
    Store,
    Erase,
    List,
}

const EXAMPLES: &str = "\
Examples:
  regrant-token login https://id.example --client-id docker --name images --for registry.example
  ln -s \"$(command -v regrant-token)\" ~/.local/bin/docker-credential-regrant-token

and in ~/.docker/config.json:
  {\"credHelpers\": {\"registry.example\": \"regrant-token\"}}

The token is given for registries that the login has named with --for, and for no other ones.";

/// The answer to `get`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DockerCredential<'a> {
    #[serde(rename = "ServerURL")]
    server_url: &'a str,
    username: &'a str,
    secret: &'a str,
}

/// Answers Docker.
///
/// # Errors
/// When there is no token.
pub(crate) async fn docker(common: &CommonOptions, options: DockerOptions) -> Result<()> {
    let answered = answer(common, options.operation).await;
    if let Err(error) = &answered {
        write(&format!("{}\n", error_text(error)))?;
    }
    answered
}

async fn answer(common: &CommonOptions, operation: Operation) -> Result<()> {
    let directory = Directory::find()?;
    match operation {
        Operation::List => return write_json(&hosts(common, &directory)?),
        Operation::Store => bail!("tokens are kept by `regrant-token login --for HOST`, not by docker login"),
        Operation::Erase => bail!("the session of a registry is ended by `regrant-token logout`, not by docker logout"),
        Operation::Get => {}
    }
    let mut text = String::new();
    io::stdin().lock().take(SERVER_BYTES_MAX + 1).read_to_string(&mut text).context("standard input")?;
    let server_url = text.trim();
    let host = host(server_url);
    ensure!(!host.is_empty() && text.len() as u64 <= SERVER_BYTES_MAX, "{server_url:?} names no registry");
    // What is no host was never named by a login.
    let Ok(named) = host.parse::<HostName>() else { bail!(NOT_FOUND) };
    let Some((name, profile)) = profile_for(&directory, common, &named)? else { bail!(NOT_FOUND) };
    let protocol = server_url.split_once("://").map_or("https", |(protocol, _)| protocol);
    ensure!(is_secure(protocol, host), "{host} is not asked over https: it gets no token");
    let session = Session::of(&directory, name, profile)?;
    let granted = session.bearer_token().await?;
    write_json(&DockerCredential { server_url, username: &session.profile.username, secret: granted.token.expose() })
}

/// The registries that there are tokens for, and the user of each.
fn hosts(common: &CommonOptions, directory: &Directory) -> Result<BTreeMap<String, String>> {
    let mut hosts = BTreeMap::new();
    for name in directory.names()? {
        let profile = directory.profile(&name).unwrap_or_else(|error| {
            common.output().note(&format!("profile {name} is left out: {}", error_text(&error)));
            None
        });
        let Some(profile) = profile else { continue };
        hosts.extend(profile.hosts.into_iter().map(|host| (host, profile.username.clone())));
    }
    Ok(hosts)
}

/// Docker names a registry with or without a scheme and a path.
fn host(server: &str) -> &str {
    let rest = server.split_once("://").map_or(server, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

/// What Docker takes for "ask somebody else", word for word.
const NOT_FOUND: &str = "credentials not found in native keychain";
/// The longest name of a registry, in bytes.
const SERVER_BYTES_MAX: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_its_host() {
        for server in
            ["registry.example", "https://registry.example", "https://registry.example/v2/", "registry.example/team"]
        {
            assert_eq!(host(server), "registry.example", "{server}");
        }
        assert_eq!(host("http://127.0.0.1:5000/v2/"), "127.0.0.1:5000");
        assert_eq!(host("https://registry.example@evil.example/"), "registry.example@evil.example");
    }
}
