//! Measures a server that runs already, ours or another's.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regrant_bench::{Endpoint, Load, Pace, Processes, ask, run};

use crate::bench::chains::{chains, encoded};
use crate::bench::options::{BenchOptions, OtherServer, Workload};
use crate::bench::own_server::member;
use crate::bench::pass::{Pass, PassKind, Purpose};
use crate::bench::report::Report;

/// Runs one load, and prints what it shows.
///
/// # Errors
/// When a file cannot be read, or the server does not answer at the beginning.
pub(super) fn bench_other_server(options: &BenchOptions, url: &str) -> Result<()> {
    let other = &options.other;
    let secret = other.secret_file.as_deref().map(first_line).transpose()?;
    let (authorization, rest) = credentials(other, secret.as_deref());
    let believed = other.ca.as_deref().map(|path| fs::read(path).with_context(|| path.display().to_string()));
    let endpoint = Endpoint::new(url, authorization.as_deref(), believed.transpose()?.as_deref())?;
    let count = options.chains as usize;
    let tokens = match (&other.tokens, &other.username) {
        (Some(path), _) => lines(path)?,
        (None, Some(username)) => log_in(&endpoint, &rest, username, other.password_file.as_deref(), count)?,
        (None, None) if options.workload == Workload::ClientCredentials => Vec::new(),
        (None, None) => bail!("with --url the load needs --tokens FILE, or --username with --password-file"),
    };
    let pace = options.rate.map_or(Pace::AsAnswered, |rate| Pace::Rate(rate.into()));
    let server = if other.pid.is_empty() { None } else { Some(Processes::new(&other.pid)?) };
    let report = Report::new(options.json);
    let measured = run(Load {
        chains: chains(options.workload, &endpoint, &rest, &tokens, count)?,
        endpoint,
        pace,
        warm_up: Duration::from_secs(options.warm_up.into()),
        length: Duration::from_secs(options.seconds.into()),
        server,
    })?;
    let kind = PassKind { workload: options.workload.name(), access_token: None, purpose: Purpose::Given };
    report.passes()?;
    report.pass(&Pass { kind, chains: count, pace, measured })
}

/// Who asks: as a header, where that was asked for, and as the part of a form.
fn credentials(other: &OtherServer, secret: Option<&str>) -> (Option<String>, String) {
    let mut form: Vec<String> = Vec::new();
    let mut authorization = None;
    let id = other.client_id.as_deref().map(encoded);
    match (id, secret.map(encoded)) {
        (Some(id), Some(secret)) if other.basic => {
            // RFC 6749 §2.3.1: both are encoded as in a form first.
            authorization = Some(format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))));
        }
        (Some(id), secret) => {
            form.push(format!("client_id={id}"));
            form.extend(secret.map(|secret| format!("client_secret={secret}")));
        }
        (None, _) => {}
    }
    form.extend(other.form.clone());
    (authorization, form.join("&"))
}

/// The refresh tokens of as many logins.
fn log_in(
    endpoint: &Endpoint,
    rest: &str,
    username: &str,
    password_file: Option<&Path>,
    count: usize,
) -> Result<Vec<String>> {
    let password = first_line(password_file.context("a user has a password file")?)?;
    let form = format!("grant_type=password&{rest}&username={}&password={}", encoded(username), encoded(&password));
    let answers = ask(endpoint, &vec![form; count])?;
    answers.iter().map(|(status, body)| member(*status, body, "refresh_token")).collect()
}

fn first_line(path: &Path) -> Result<String> {
    Ok(lines(path)?.into_iter().next().unwrap_or_default())
}

fn lines(path: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: BenchOptions,
    }

    #[test]
    fn the_client_is_named_in_the_form_or_in_the_header() {
        for (arguments, secret, header, form) in [
            ("", None, None, ""),
            ("--client-id a", None, None, "client_id=a"),
            ("--client-id a --secret-file f", Some("s+"), None, "client_id=a&client_secret=s%2B"),
            ("--client-id a --secret-file f --basic", Some("s+"), Some("Basic YTpzJTJC"), ""),
            ("--client-id a --form scope=x", None, None, "client_id=a&scope=x"),
        ] {
            let words = ["bench", "refresh", "--url", "http://127.0.0.1/"].into_iter();
            let line = Line::try_parse_from(words.chain(arguments.split_whitespace())).unwrap();
            let found = credentials(&line.options.other, secret);
            assert_eq!(found, (header.map(str::to_owned), form.to_owned()), "{arguments}");
        }
    }
}
