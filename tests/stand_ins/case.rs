//! One case: what comes first, the request, and whether the answer is right.

use crate::browser::{Decision, visit};
use crate::curl;
use crate::expected::Expected;
use crate::memory::Memory;
use crate::message::{Answer, Request};
use crate::system::{Case, System};

/// Who answers.
pub(crate) trait Server {
    /// Sends a request.
    fn send(&self, request: &Request) -> Answer;

    /// Lets the clock go on.
    fn wait(&self, seconds: u32);

    /// Where `curl` finds it.
    fn url(&self) -> &str;
}

impl Case {
    /// Whether time has to pass, which only a clock of the test does.
    pub(crate) fn waits(&self) -> bool {
        self.before.iter().any(|step| step.starts_with("WAIT "))
    }

    /// Runs the case; what is wrong, with what should have come and what came.
    pub(crate) fn run(&self, system: &System, server: &dyn Server) -> Result<(), String> {
        let mut memory = Memory::default();
        for step in &self.before {
            if let Some(seconds) = step.strip_prefix("WAIT ") {
                server.wait(seconds.parse().expect("a wait has seconds"));
                continue;
            }
            let text = system.requests.get(step).unwrap_or(step);
            let (request, answer) = ask(text, system, server, &memory);
            if !request.statuses.contains(&answer.status) {
                return Err(format!("before it, {text:?} was answered\n{}", answer.shown()));
            }
            memory.learn(&answer);
        }
        let (method, answer) = match (&self.ask, &self.curl) {
            (Some(text), None) => {
                let (request, answer) = ask(text, system, server, &memory);
                (request.method, answer)
            }
            (None, Some(line)) => ("POST".to_owned(), curl::run(line, &self.replace, server.url(), &memory)),
            _ => return Err("a case has either `ask` or `curl`".to_owned()),
        };
        let expected = Expected::parse(&self.answer, system);
        match expected.fault(&method, &answer, &memory) {
            None => Ok(()),
            Some(fault) => Err(format!("{fault}; expected\n{}\ngot\n{}", expected.shown(), answer.shown())),
        }
    }
}

fn ask(text: &str, system: &System, server: &dyn Server, memory: &Memory) -> (Request, Answer) {
    let request = Request::parse(text, system, memory);
    let send = |request: &Request| server.send(request);
    let answer = match request.method.as_str() {
        "BROWSER" => visit(&request.target, Decision::Allow, send),
        "DENY" => visit(&request.target, Decision::Deny, send),
        _ => send(&request),
    };
    (request, answer)
}
