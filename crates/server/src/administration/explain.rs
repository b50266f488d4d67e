//! `regrant explain`.

use std::io::{self, IsTerminal};

use anyhow::{Result, bail};
use clap::Args;
use regrant_admin::{Explanation, Question, WireSecret};
use regrant_engine::RequestId;
use regrant_protocol::Secret;

use super::api::{AdminApi, run};
use super::output::Output;
use super::place::CommonOptions;
use super::secret_input::on_standard_input;
use super::table::{fields, printable};
use super::terminal::ask_secret;

/// What `regrant explain` can be told.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ExplainOptions {
    #[command(flatten)]
    common: CommonOptions,
}

const EXAMPLES: &str = "\
Examples:
  regrant explain < token
  echo 5c3f0b8f9a7e4d12b6c5a4938271605f | regrant explain
  regrant explain    (asks on the terminal, and does not show what is typed)";

/// Runs `regrant explain`: reads a token or a request id from standard input, and says why it was or would be refused.
///
/// # Errors
/// When there is neither, or nobody knows.
pub fn explain(options: ExplainOptions) -> Result<()> {
    let common = options.common;
    let place = common.find()?;
    let question = read(&common)?;
    run(async {
        let api = AdminApi::reach(&place).await?;
        let explanation: Explanation = api.post("/explain", &question).await?;
        Output { is_json: common.json }.answer(&explanation, told)
    })
}

fn read(common: &CommonOptions) -> Result<Question> {
    let text = match (io::stdin().is_terminal(), common.no_input) {
        (false, _) => on_standard_input(TOKEN_BYTES_MAX)?,
        (true, false) => ask_secret("Token or request id: ", TOKEN_BYTES_MAX)?,
        (true, true) => bail!("give the token or request id on standard input"),
    };
    let text = text.expose().trim();
    if text.is_empty() {
        bail!("there is nothing on standard input; give a token, or the request id of an answer");
    }
    Ok(question(text))
}

/// Whatever could be a token is asked for as one: it is never told as a name.
fn question(text: &str) -> Question {
    let text = without_scheme(text);
    let is_token = ["rgr_", "rgc_", "rga_", "eyJ"].iter().any(|prefix| text.starts_with(prefix));
    match RequestId::parse(text).filter(|_| !is_token) {
        Some(id) => Question::RequestId(id.as_str().to_owned()),
        None => Question::Token(WireSecret(Secret::new(text.to_owned()))),
    }
}

/// The token alone of an `Authorization` header.
fn without_scheme(text: &str) -> &str {
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") => token.trim_start(),
        _ => text,
    }
}

fn told(explanation: &Explanation) -> String {
    let known = [
        ("verdict", Some(explanation.verdict.clone())),
        ("kind", explanation.kind.clone()),
        ("grant", explanation.grant.clone()),
        ("generation", explanation.generation.map(|generation| generation.to_string())),
        ("current_generation", explanation.current_generation.map(|generation| generation.to_string())),
        ("client", explanation.client.clone()),
        ("user", explanation.user.clone()),
        ("at", explanation.at.map(|at| at.to_string())),
    ];
    let known: Vec<(&str, String)> = known.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    format!("{}\n\n{}", printable(&explanation.text), fields(&known))
}

/// The longest token that is read: a JWT with many claims.
const TOKEN_BYTES_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_taken_for_the_name_of_a_request() {
        for (text, is_token) in [
            ("5c3f0b8f9a7e4d12b6c5a4938271605f", false),
            ("edge-1_2.3", false),
            ("rgr_short", true),
            ("rgc_short", true),
            ("rga_short", true),
            ("eyJhbGciOiJFUzI1NiJ9.e30.c2ln", true),
            ("+/=", true),
        ] {
            assert_eq!(matches!(question(text), Question::Token(_)), is_token, "{text}");
        }
        let Question::Token(token) = question("bearer  rga_short") else { panic!("it is a token") };
        assert_eq!(token.expose(), "rga_short");
        assert!(matches!(question(&"a".repeat(65)), Question::Token(_)), "longer than a name");
    }
}
