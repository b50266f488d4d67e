//! Several processes that share one file, as programs started by one user do.

use std::env;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use regrant_client::{
    FileStorage, IssuerIdentifier, OAuthClient, Provider, ReqwestTransport, Storage, Swap, TokenManager,
};
use regrant_protocol::{ClientId, Scope, Secret};
use regrant_tests::{PASSWORD, USERNAME};
use tempfile::TempDir;

use crate::socket::Socket;

const ISSUER: &str = "REGRANT_TEST_ISSUER";
const FILE: &str = "REGRANT_TEST_FILE";

/// A client as a program has it: over TCP, with the clock of this machine, which is months behind that of the server.
pub(crate) async fn client(issuer: &str) -> OAuthClient {
    let transport = Arc::new(ReqwestTransport::new().unwrap());
    let issuer = IssuerIdentifier::parse(issuer).unwrap();
    let provider = Provider::discover(&issuer, &*transport).await.unwrap();
    OAuthClient::new(provider, ClientId::parse("TestApp").unwrap(), transport)
}

/// What each of the processes does: it prints a token. Nothing, when the test runner starts it.
#[tokio::test]
async fn a_process_of_its_own() {
    let (Ok(issuer), Ok(file)) = (env::var(ISSUER), env::var(FILE)) else { return };
    let token = TokenManager::new(client(&issuer).await, FileStorage::new(file)).access_token().await.unwrap();
    println!("token {}", token.expose());
}

/// A server, and a file whose access token has ended.
struct Desk {
    socket: Socket,
    file: FileStorage,
    _directory: TempDir,
}

impl Desk {
    async fn new() -> Self {
        let socket = Socket::open().await;
        socket.server.public("TestApp").register().await;
        let directory = tempfile::tempdir().unwrap();
        let file = FileStorage::new(directory.path().join("tokens/token.json"));

        let client = client(socket.server.engine.issuer().as_str()).await;
        let password = Secret::new(PASSWORD.to_owned());
        let mut credential = client.password(USERNAME, &password, &Scope::empty()).await.unwrap();
        assert!(credential.clock_offset_milliseconds.abs() > 1_000_000, "the clocks differ");
        credential.access = None;
        TokenManager::new(client, file.clone()).log_in(credential).await.unwrap();
        socket.take_exchanges();
        Self { socket, file, _directory: directory }
    }

    fn start(&self) -> Child {
        Command::new(env::current_exe().unwrap())
            .args(["--exact", "processes::a_process_of_its_own", "--nocapture"])
            .env(ISSUER, self.socket.server.engine.issuer().as_str())
            .env(FILE, self.file.path())
            .env("NO_PROXY", "127.0.0.1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

/// The token that a process prints.
async fn token(process: Child) -> String {
    let output = tokio::task::spawn_blocking(|| process.wait_with_output()).await.unwrap().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let token = output.lines().find_map(|line| line.split_once("token ").map(|(_, token)| token.to_owned()));
    token.unwrap_or_else(|| panic!("no token: {output}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_processes_that_wake_together_make_one_exchange() {
    let desk = Desk::new().await;
    let processes: Vec<_> = (0..50).map(|_| desk.start()).collect();
    let mut tokens = Vec::new();
    for process in processes {
        tokens.push(token(process).await);
    }
    assert_eq!(desk.socket.take_exchanges(), 1);
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert!(desk.socket.server.is_good(&tokens[0]).await);
    assert_eq!(desk.file.load().await.unwrap().unwrap().pending, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_it_waits_for_the_answer_leaves_lock_and_session_to_the_next() {
    let desk = Desk::new().await;
    for rotations in 1..=3 {
        desk.socket.hold_next();
        let mut killed = desk.start();
        desk.socket.until_held().await;
        let waiting = desk.start();
        killed.kill().unwrap();
        killed.wait().unwrap();

        let token = token(waiting).await;
        assert!(desk.socket.server.is_good(&token).await);
        assert_eq!(desk.socket.take_exchanges(), 2);
        let mut kept = desk.file.load().await.unwrap().unwrap();
        let grant = desk.socket.server.grant(kept.refresh_token.as_ref().unwrap().expose()).await;
        assert_eq!(grant.version, 1 + rotations, "the same successor, not one more");

        // Long after: the token has ended, and so has the quiet time.
        let seen = kept.version();
        (kept.access, kept.not_before) = (None, None);
        assert_eq!(desk.file.compare_and_swap(Some(seen), Some(&kept)).await, Ok(Swap::Done));
    }
}
