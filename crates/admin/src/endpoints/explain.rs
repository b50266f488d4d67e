use std::sync::Arc;

use axum::extract::State;
use regrant_engine as engine;
use regrant_engine::{RecentRefusal, RequestId};

use crate::api::Api;
use crate::desk::Desk;
use crate::error::AdminError;
use crate::json::Json;
use crate::operation::Operation;
use crate::{ErrorCode, Explanation, Question, Time};

pub(super) fn serve(api: Api) -> Api {
    api.serves(
        Operation::post("/explain", "explain", "Says why a token would be refused, or why a request was.")
            .takes::<Question>()
            .answers::<Explanation>()
            .refuses(&[ErrorCode::NotFound]),
        explain,
    )
}

async fn explain(
    State(desk): State<Arc<Desk>>,
    Json(question): Json<Question>,
) -> Result<Json<Explanation>, AdminError> {
    match question {
        Question::Token(token) => Ok(Json(desk.server().explain(token.expose()).await?.into())),
        Question::RequestId(id) => {
            let found = RequestId::parse(&id).and_then(|id| desk.server().recent_refusals().find(&id));
            let refusal =
                found.ok_or(AdminError::Unknown { what: "refused request that is remembered, by the id", name: id })?;
            Ok(Json(refusal.into()))
        }
    }
}

impl From<engine::Explanation> for Explanation {
    fn from(told: engine::Explanation) -> Self {
        let grant = told.grant.as_ref();
        Self {
            text: told.text,
            verdict: told.verdict.as_str().to_owned(),
            kind: Some(told.kind.as_str().to_owned()),
            grant: told.grant_id.map(|id| id.to_string()),
            generation: told.generation.map(|generation| generation.0),
            current_generation: grant.map(|grant| grant.generation.0),
            client: told.client.map(|client| client.to_string()),
            user: grant.map(|grant| grant.subject.to_string()),
            at: None,
        }
    }
}

impl From<RecentRefusal> for Explanation {
    fn from(refusal: RecentRefusal) -> Self {
        Self {
            text: refusal.sentence,
            verdict: refusal.verdict.to_owned(),
            kind: None,
            grant: refusal.grant.map(|id| id.to_string()),
            generation: None,
            current_generation: None,
            client: refusal.client.map(|client| client.to_string()),
            user: None,
            at: Some(Time(refusal.at)),
        }
    }
}
