//! A load against a server that is as simple as can be.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::spawn;
use std::time::Duration;

use regrant_bench::{
    Chain, Endpoint, Load, LoadError, Pace, Processes, Refreshing, Repeating, Spending, Supply, ask, run,
};

/// A server that answers each form as `answer` says, and listens for as long as the test runs.
fn serve(answer: fn(&str) -> (u16, String)) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address: SocketAddr = listener.local_addr().expect("it is bound");
    spawn(move || {
        for socket in listener.incoming() {
            let socket = socket.expect("a connection is accepted");
            spawn(move || converse(socket, answer));
        }
    });
    Endpoint::new(&format!("http://{address}/token"), None, None).expect("it is the URL of an endpoint")
}

fn converse(mut socket: TcpStream, answer: fn(&str) -> (u16, String)) {
    let mut reader = BufReader::new(socket.try_clone().expect("a socket has two ends"));
    loop {
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line).unwrap_or(0) > 0 && line != "\r\n" {
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().expect("a length is a number");
            }
            line.clear();
        }
        let mut form = vec![0; length];
        if line.is_empty() || reader.read_exact(&mut form).is_err() {
            return;
        }
        let (status, body) = answer(&String::from_utf8(form).expect("a form is text"));
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        if socket.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// Takes a token once: whoever does not follow rotation is refused. Tokens count up.
fn rotate(form: &str) -> (u16, String) {
    let (chain, generation) =
        form.rsplit_once("refresh_token=").and_then(|(_, token)| token.split_once('.')).expect("a token");
    let next = generation.parse::<u64>().expect("a generation is a number") + 1;
    (200, format!("{{\"refresh_token\":\"{chain}.{next}\"}}"))
}

fn load(endpoint: &Endpoint, chains: Vec<Box<dyn Chain>>, pace: Pace) -> Load {
    let server = Some(Processes::new(&[std::process::id()]).expect("this process runs"));
    let (warm_up, length) = (Duration::from_millis(20), Duration::from_millis(100));
    Load { endpoint: endpoint.clone(), chains, pace, warm_up, length, server }
}

fn refreshing(endpoint: &Endpoint, count: usize) -> Vec<Box<dyn Chain>> {
    let chain = |number| Box::new(Refreshing::new(endpoint.clone(), "client_id=a", &format!("{number}.0"))) as _;
    (0..count).map(chain).collect()
}

#[test]
fn chains_follow_rotation_as_fast_as_they_are_answered() {
    let endpoint = serve(rotate);
    let measured = run(load(&endpoint, refreshing(&endpoint, 4), Pace::AsAnswered)).unwrap();
    assert!(measured.good() > 4, "{measured:?}");
    assert_eq!(measured.failed(), 0, "{measured:?}");
    assert!(measured.server_memory.unwrap().resident > 0);
    assert_eq!(measured.to_json()["good"], measured.good());
}

#[test]
fn at_a_rate_every_request_that_was_due_is_counted() {
    let endpoint = serve(rotate);
    let measured = run(load(&endpoint, refreshing(&endpoint, 3), Pace::Rate(500.0))).unwrap();
    assert_eq!((measured.good(), measured.failed()), (50, 0), "{measured:?}");
}

#[test]
fn a_supply_that_is_spent_ends_the_load_and_failures_are_told_by_kind() {
    let endpoint = serve(|form| match form {
        "code=5" => (400, "{\"error\":\"invalid_grant\"}".to_owned()),
        _ => (200, "{}".to_owned()),
    });
    let supply = Supply::new((0..20).map(|number| format!("code={number}")).collect());
    let chains = (0..2).map(|_| Box::new(Spending::new(endpoint.clone(), supply.clone())) as _).collect();
    let (warm_up, length) = (Duration::ZERO, Duration::from_secs(3600));
    let measured = run(Load { warm_up, length, ..load(&endpoint, chains, Pace::AsAnswered) }).unwrap();
    assert_eq!((measured.good(), measured.failed()), (19, 1), "{measured:?}");
    assert_eq!(measured.failures.keys().collect::<Vec<_>>(), ["400 invalid_grant"]);
}

#[test]
fn a_chain_that_is_refused_ends() {
    let endpoint = serve(|_| (400, "{\"error\":\"invalid_grant\"}".to_owned()));
    let length = Duration::from_millis(1);
    let all = Load { warm_up: Duration::ZERO, length, ..load(&endpoint, refreshing(&endpoint, 2), Pace::AsAnswered) };
    let measured = run(all).unwrap();
    assert_eq!(measured.good(), 0);
    assert!(measured.failed() <= 2, "{measured:?}");
}

#[test]
fn a_load_without_chains_or_server_is_refused() {
    let endpoint = serve(rotate);
    assert!(matches!(run(load(&endpoint, Vec::new(), Pace::AsAnswered)), Err(LoadError::Chains(0))));
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = Endpoint::new(&format!("http://{}/", closed.local_addr().unwrap()), None, None).unwrap();
    drop(closed);
    let chains: Vec<Box<dyn Chain>> = vec![Box::new(Repeating::new(&nobody, "", None))];
    assert!(matches!(run(load(&nobody, chains, Pace::AsAnswered)), Err(LoadError::Connect { number: 1, all: 1, .. })));
    assert!(ask(&nobody, &[String::new()]).is_err());
}

#[test]
fn forms_may_be_asked_one_after_the_other() {
    let endpoint = serve(|form| (200, form.to_owned()));
    let answers = ask(&endpoint, &["a=1".to_owned(), "a=2".to_owned()]).unwrap();
    assert_eq!(answers, [(200, "a=1".to_owned()), (200, "a=2".to_owned())]);
}
