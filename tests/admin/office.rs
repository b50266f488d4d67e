use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, Request};
use regrant_admin::{Administration, BackupError, Program, ProgramStatus, SweepState, SweepView, router};
use regrant_engine::Door;
use regrant_protocol::ClientId;
use regrant_store::{ClientDefaults, IdTokenAlgorithm};
use regrant_tests::TestServer;
use serde_json::Value;
use tower::ServiceExt as _;

/// The longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Where a server is administered.
pub(crate) struct Office(Router);

/// What an operator was answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// `Null` when there is no body.
    pub(crate) json: Value,
}

impl Office {
    /// That of a server, by the socket.
    pub(crate) fn of(server: &TestServer) -> Self {
        Self(router(administration(server), Door::Socket))
    }

    pub(crate) fn behind(router: Router) -> Self {
        Self(router)
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], "").await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.send_json("POST", path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send_json("PATCH", path, body).await
    }

    /// A `POST` without a body.
    pub(crate) async fn act(&self, path: &str) -> Reply {
        self.send("POST", path, &[], "").await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, &[], "").await
    }

    async fn send_json(&self, method: &str, path: &str, body: Value) -> Reply {
        self.send(method, path, &[("content-type", "application/json")], &body.to_string()).await
    }

    /// Any request below `/admin/v1`; what holds for every answer is checked.
    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("/admin/v1{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).expect("a test makes a request");
        let answer = self.0.clone().oneshot(request).await.expect("a router does not fail");
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, ANSWER_BYTES_MAX).await.expect("the answer is short");
        let json = match body.as_ref() {
            [] => Value::Null,
            body => serde_json::from_slice(body).expect("every body is JSON"),
        };
        let reply = Reply { status: parts.status.as_u16(), headers: parts.headers, json };
        assert_eq!(reply.headers[CACHE_CONTROL], "no-store", "{method} {path}");
        assert_eq!(reply.headers.contains_key(CONTENT_TYPE), !reply.json.is_null(), "{method} {path}");
        if reply.status >= 400 {
            assert!(reply.json["error"].is_string() && reply.json["message"].is_string(), "{method} {path}: {reply:?}");
        }
        reply
    }
}

impl Reply {
    /// The body of an answer with this status.
    #[track_caller]
    pub(crate) fn assert(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.json);
        self.json
    }

    /// The message of a refusal.
    #[track_caller]
    pub(crate) fn assert_refused(self, status: u16, error: &str, field: Option<&str>) -> String {
        let found = (self.status, self.json["error"].as_str(), self.json["field"].as_str());
        assert_eq!(found, (status, Some(error), field), "{}", self.json);
        self.json["message"].as_str().expect("it was checked").to_owned()
    }
}

/// What the admin API of a server administers.
pub(crate) fn administration(server: &TestServer) -> Arc<Administration> {
    Arc::new(Administration {
        server: Arc::clone(&server.engine),
        key_file: Arc::clone(&server.key_file) as _,
        program: Arc::new(TestProgram),
    })
}

/// A program of which everything is known.
struct TestProgram;

#[async_trait]
impl Program for TestProgram {
    fn client_defaults(&self) -> ClientDefaults {
        ClientDefaults { id_token_algorithm: IdTokenAlgorithm::Es256, ..ClientDefaults::BUILT_IN }
    }

    fn where_configured(&self, client: &ClientId) -> Option<String> {
        (client.as_str() == "configured").then(|| "regrant.toml:12".to_owned())
    }

    fn status(&self) -> ProgramStatus {
        ProgramStatus {
            version: "0.1.0".to_owned(),
            store: "regrant-data/regrant.db".to_owned(),
            started_at: None,
            sweep: Some(SweepView { state: SweepState::Working, last_pass_at: None, grants_removed: 3 }),
        }
    }

    async fn back_up(&self, path: &Path) -> Result<u64, BackupError> {
        match path.to_str() {
            Some("/full.db") => Err(BackupError::Failed("the disk is full".to_owned())),
            Some(name) if name.ends_with(".db") => Ok(4096),
            _ => Err(BackupError::Path(format!("{} does not end in .db", path.display()))),
        }
    }
}
