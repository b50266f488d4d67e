//! The protocol of git's credential helpers (git-credential(1)).

use std::io::{self, Read as _};

use anyhow::{Context, Result, ensure};
use clap::Args;
use regrant_client::AccessToken;
use zeroize::Zeroizing;

use crate::common_options::CommonOptions;
use crate::directory::Directory;
use crate::host::profile_for;
use crate::host_name::HostName;
use crate::output::write;
use crate::profile::Profile;
use crate::session::{Granted, Session};

/// What `git` can be told.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct GitOptions {
    /// Have git send the token in a Bearer header, for servers that do not take it as a password (git 2.46 and later).
    #[arg(long)]
    bearer: bool,
    /// What git asks for: get, store or erase. The description follows on standard input.
    #[arg(value_name = "OPERATION")]
    operation: String,
}

const EXAMPLES: &str = "\
Examples:
  regrant-token login https://id.example --client-id git --name forge --for git.example
  git config --global credential.https://git.example.helper '!regrant-token git'

The token is given for hosts that the login has named with --for, and for no other ones.";

/// What git describes: only what matters here.
#[derive(Default)]
struct Description {
    protocol: String,
    host: String,
    username: Option<String>,
    password: Option<AccessToken>,
    takes_authtype: bool,
}

/// Answers git.
///
/// # Errors
/// When there is a profile for the host, and no token.
pub(crate) async fn git(common: &CommonOptions, options: GitOptions) -> Result<()> {
    if !["get", "erase"].contains(&options.operation.as_str()) {
        // Tokens are kept by `login` alone; git has helpers ignore operations that they do not have.
        return Ok(());
    }
    let description = Description::read()?;
    let directory = Directory::find()?;
    // What is no host was never named by a login.
    let Ok(host) = description.host.parse::<HostName>() else { return Ok(()) };
    let Some((name, profile)) = profile_for(&directory, common, &host)? else { return Ok(()) };
    if !description.is_secure() {
        common.output().note(&format!("{} is not asked over https: it gets no token", description.host));
        return Ok(());
    }
    let session = Session::of(&directory, name, profile)?;
    if options.operation == "erase" {
        // Git says so when a server has refused the token: not the session has ended, but this token is not to come again.
        let Some(refused) = &description.password else { return Ok(()) };
        return session.token_after_refusal(Some(refused)).await.map(drop);
    }
    let granted = session.bearer_token().await?;
    let answer = if options.bearer {
        ensure!(description.takes_authtype, "this git cannot send a Bearer header (2.46 can); leave out --bearer");
        bearer(&granted)
    } else {
        password(&granted, &description, &session.profile)
    };
    write(&answer)
}

fn password(granted: &Granted, description: &Description, profile: &Profile) -> Zeroizing<String> {
    let username = description.username.as_deref().unwrap_or(&profile.username);
    Zeroizing::new(format!("username={username}\npassword={}\n{}", granted.token.expose(), expiry(granted)))
}

fn bearer(granted: &Granted) -> Zeroizing<String> {
    let token = granted.token.expose();
    Zeroizing::new(format!(
        "capability[]=authtype\nauthtype=Bearer\ncredential={token}\nephemeral=1\n{}",
        expiry(granted)
    ))
}

/// The refresh token is not told, though git would keep it: a second keeper would spend it.
fn expiry(granted: &Granted) -> String {
    granted.expires_at.map(|end| format!("password_expiry_utc={}\n", end.seconds())).unwrap_or_default()
}

impl Description {
    fn read() -> Result<Self> {
        let mut text = Zeroizing::new(String::with_capacity(DESCRIPTION_BYTES_MAX + 1));
        let read = io::stdin().lock().take(DESCRIPTION_BYTES_MAX as u64 + 1).read_to_string(&mut text);
        read.context("standard input")?;
        ensure!(
            text.len() <= DESCRIPTION_BYTES_MAX,
            "git describes a credential in more than {DESCRIPTION_BYTES_MAX} bytes"
        );
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let mut description = Self::default();
        for (name, value) in text.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split_once('=')) {
            match name {
                "protocol" => value.clone_into(&mut description.protocol),
                "host" => value.clone_into(&mut description.host),
                "username" => description.username = Some(value.to_owned()),
                "password" | "credential" => description.password = Some(AccessToken::new(value.to_owned())),
                "capability[]" => description.takes_authtype |= value == "authtype",
                _ => {}
            }
        }
        description
    }

    /// Whether nobody on the way sees the token.
    fn is_secure(&self) -> bool {
        is_secure(&self.protocol, &self.host)
    }
}

/// Whether nobody on the way to `host` sees what is sent by that protocol.
pub(crate) fn is_secure(protocol: &str, host: &str) -> bool {
    let is_loopback = || host.parse::<HostName>().is_ok_and(|host| host.is_loopback());
    protocol == "https" || (protocol == "http" && is_loopback())
}

/// The longest description that is read, in bytes.
const DESCRIPTION_BYTES_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_ends_with_an_empty_line_and_may_say_more_than_we_know() {
        let text = "capability[]=authtype\ncapability[]=state\nprotocol=https\nhost=git.example:8443\npath=a=b\nusername=ada\n\nhost=evil.example\n";
        let description = Description::parse(text);
        assert_eq!((description.host.as_str(), description.username.as_deref()), ("git.example:8443", Some("ada")));
        assert!(description.takes_authtype && description.password.is_none());
    }

    #[test]
    fn a_token_travels_encrypted_or_stays_on_this_machine() {
        for (protocol, host, expected) in [
            ("https", "git.example", true),
            ("http", "git.example", false),
            ("http", "127.0.0.1:8080", true),
            ("http", "localhost", true),
            ("http", "[::1]", true),
            ("http", "[::1]:3000", true),
            ("http", "localhost.evil.example", false),
            ("ssh", "git.example", false),
            ("", "git.example", false),
        ] {
            let description = Description::parse(&format!("protocol={protocol}\nhost={host}\n"));
            assert_eq!(description.is_secure(), expected, "{protocol}://{host}");
        }
    }
}
