//! The real `curl`, run by the real shell.

use std::process::Command;

use serde_json::Value;

/// What came back: status, body, and the body as JSON where it is.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) json: Value,
}

impl Answer {
    /// A text member of a 200.
    #[track_caller]
    pub(crate) fn member(&self, name: &str) -> String {
        assert_eq!(self.status, 200, "{}", self.json);
        self.json[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.json)).to_owned()
    }

    #[track_caller]
    pub(crate) fn refresh_token(&self) -> String {
        self.member("refresh_token")
    }

    /// The refusal of a refresh token.
    #[track_caller]
    pub(crate) fn assert_invalid_grant(&self) {
        assert_eq!((self.status, &self.json["error"]), (400, &Value::from("invalid_grant")), "{}", self.json);
    }
}

/// Runs a command line that begins with `curl` as a person would type it, and reads what came back.
pub(crate) fn run(command: &str) -> Answer {
    let arguments = command.strip_prefix("curl ").expect("it is a curl command line");
    let output = bash(&format!(r"curl -sS --max-time 60 -w '\n%{{http_code}}' {arguments}"));
    let (body, status) = output.rsplit_once('\n').unwrap_or_else(|| panic!("no status: {output:?}"));
    let json = serde_json::from_str(body).unwrap_or(Value::Null);
    Answer { status: status.parse().expect("curl writes the status last"), json }
}

/// What a script wrote to standard output.
pub(crate) fn bash(script: &str) -> String {
    let output = Command::new("bash").args(["-c", script]).output().expect("there is a shell");
    String::from_utf8(output.stdout).expect("answers are UTF-8")
}

/// The demo user logs in at the demo client.
pub(crate) fn log_in(url: &str) -> Answer {
    token(url, "grant_type=password&username=bshaffer&password=brent123")
}

/// A refresh by the demo client.
pub(crate) fn refresh(url: &str, refresh_token: &str) -> Answer {
    token(url, &format!("grant_type=refresh_token&refresh_token={refresh_token}"))
}

fn token(url: &str, form: &str) -> Answer {
    post(url, "token", form)
}

/// A form from the demo client to any endpoint.
pub(crate) fn post(url: &str, endpoint: &str, form: &str) -> Answer {
    run(&format!("curl -u TestClient:TestSecret {url}/{endpoint} -d '{form}'"))
}
