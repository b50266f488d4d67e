//! The tour of `regrant dev`: real requests to the running server, and the `curl` lines that repeat them.

use std::io::Write;
use std::net::SocketAddr;

use anyhow::{Result, bail};

use crate::demo::{API_PATH, CLIENT, CLIENT_SECRET, PASSWORD, USER};
use abbreviate::abbreviate;
use request::{Answer, Request, Variables};

mod abbreviate;
mod request;

/// Shows the tour on standard output.
///
/// # Errors
/// When the server cannot be reached, or does not answer as the tour tells.
pub(crate) async fn show(address: SocketAddr) -> Result<()> {
    let mut tour = Tour { address, variables: Variables::default() };
    say(&[
        "",
        "A short tour of what just started. Every answer below is real; the lines that begin with $ repeat it by hand.",
    ])?;

    let form = format!("grant_type=password&username={USER}&password={PASSWORD}");
    tour.step(
        "1. A user logs in. The client gets an access token, and a refresh token to go on with.",
        &token(&form, 1),
    )
    .await?;
    tour.step("2. The access token opens an API.", &call(1)).await?;
    let second = tour
        .step(
            "3. The access token will end. The refresh token gets the next pair, and is superseded by it.",
            &refresh(1, 2),
        )
        .await?;
    let again = tour
        .step("4. That answer got lost on its way? The client sends the same refresh token again …", &refresh(1, 2))
        .await?;
    if again.status != 200 {
        return say(&[
            "   … which is reuse here, as --retry-window 0 switches retries off: the grant has ended.",
            "",
            "That was the tour. The server keeps running; stop it with Ctrl-C.",
        ]);
    }
    if again.member("refresh_token") != second.member("refresh_token") || again.token_id() != second.token_id() {
        bail!("the retry got other tokens");
    }
    say(&[
        "   … and gets the same successor as before, and an access token with the same jti: nothing is lost, and no",
        "   second session came to be.",
    ])?;
    tour.step("5. The client goes on with what it got.", &refresh(2, 3)).await?;
    tour.step(
        "6. Now the first refresh token comes back, long superseded. Only a thief or a copy does that.",
        &refresh(1, 4),
    )
    .await?;
    tour.step("7. The grant has ended, for the thief as for the client: the newest refresh token …", &refresh(3, 4))
        .await?;
    tour.step("8. … and the access token are dead.", &call(1)).await?;
    say(&["", "That was the tour. The server keeps running; stop it with Ctrl-C."])
}

/// A request to the token endpoint, whose tokens become the variables `$AT` and `$RT` of this number.
fn token(form: &str, number: u32) -> Request {
    Request::Token { form: form.to_owned(), number }
}

fn refresh(presented: u32, received: u32) -> Request {
    token(&format!("grant_type=refresh_token&refresh_token=$RT{presented}"), received)
}

fn call(number: u32) -> Request {
    Request::Api { path: API_PATH, token: format!("$AT{number}") }
}

struct Tour {
    address: SocketAddr,
    variables: Variables,
}

impl Tour {
    /// Sends a request, and prints what it is, how to repeat it, and what came back.
    async fn step(&mut self, title: &str, request: &Request) -> Result<Answer> {
        let answer = request.send(self.address, CLIENT, CLIENT_SECRET, &mut self.variables).await?;
        say(&["", title])?;
        for line in request.curl(self.address, CLIENT, CLIENT_SECRET, &answer) {
            say(&[&format!("   $ {line}")])?;
        }
        for line in answer.to_string().lines() {
            say(&[&format!("   {}", abbreviate(line))])?;
        }
        Ok(answer)
    }
}

fn say(lines: &[&str]) -> Result<()> {
    let mut output = std::io::stdout().lock();
    for line in lines {
        writeln!(output, "{line}")?;
    }
    Ok(output.flush()?)
}
