use std::sync::Arc;

use axum::extract::State;
use regrant_engine::{Act, GrantEnd};
use regrant_grant::{AccessVerdict, GrantId};
use regrant_protocol::{ClientId, Subject};
use regrant_store::{GrantFilter, ListedGrant};

use crate::about::About;
use crate::api::Api;
use crate::desk::{Desk, Operator};
use crate::error::AdminError;
use crate::json::Json;
use crate::named::{Named, given};
use crate::operation::Operation;
use crate::query::{Query, count_max};
use crate::{EndGrants, EndedBy, ErrorCode, GrantState, GrantView, GrantsEnded, GrantsQuery, Listing, Time};

const GRANT: &str = "grant";

pub(super) fn serve(api: Api) -> Api {
    api.serves(
        Operation::get("/grants", "listGrants", "Lists grants by id: of each family its root.")
            .query::<GrantsQuery>()
            .answers::<Listing<GrantView>>(),
        list,
    )
    .serves(
        Operation::post("/grants/end", "endGrants", "Ends grants of a user, to a client, or made before a time.")
            .takes::<EndGrants>()
            .answers::<GrantsEnded>()
            .refuses(&[ErrorCode::NotFound, ErrorCode::Rule]),
        end_several,
    )
    .serves(Operation::get("/grants/{id}", "showGrant", "Shows a grant.").answers::<GrantView>(), show)
    .serves(
        Operation::post("/grants/{id}/end", "endGrant", "Ends a grant and its family; ending it twice is no error.")
            .answers::<GrantView>(),
        end,
    )
}

async fn list(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<GrantsQuery>,
) -> Result<Json<Listing<GrantView>>, AdminError> {
    let filter = filter(query.user.as_deref(), query.client.as_deref(), query.revoked)?;
    let after = given("after", query.after.as_deref(), GrantId::parse)?;
    let page = desk.server().grants(&filter, after, count_max(query.limit)?).await?;
    let items = page.items.iter().map(GrantView::from).collect();
    Ok(Json(Listing { items, next: page.next.map(|next| next.to_string()) }))
}

async fn show(State(desk): State<Arc<Desk>>, name: Named) -> Result<Json<GrantView>, AdminError> {
    let id = name.parse(GRANT, GrantId::parse)?;
    let found = desk.server().grant(id).await?.ok_or_else(|| name.unknown(GRANT))?;
    Ok(Json(GrantView::from(&found)))
}

async fn end(State(desk): State<Arc<Desk>>, operator: Operator, name: Named) -> Result<Json<GrantView>, AdminError> {
    let id = name.parse(GRANT, GrantId::parse)?;
    match desk.server().end_grant_by_operator(id).await? {
        GrantEnd::Unknown => return Err(name.unknown(GRANT)),
        GrantEnd::Ended => desk.tell(&operator, Act::GrantEnded, name.as_str()),
        GrantEnd::EndedBefore => {}
    }
    show(State(desk), name).await
}

async fn end_several(
    State(desk): State<Arc<Desk>>,
    operator: Operator,
    Json(asked): Json<EndGrants>,
) -> Result<Json<GrantsEnded>, AdminError> {
    let filter = filter(asked.user.as_deref(), asked.client.as_deref(), false)?;
    let (server, cutoff) = (desk.server(), GrantsEnded { by: EndedBy::Cutoff, count: None });
    Ok(Json(match (&filter.user, &filter.client, asked.made_before) {
        (None, None, None) => return Err(AdminError::NoGrantsMeant),
        (Some(user), None, None) => {
            server.end_grants_of_user(user).await.about("user")?;
            desk.tell(&operator, Act::UserGrantsEnded, user.as_str());
            cutoff
        }
        (None, Some(client), None) => {
            server.end_grants_of_client(client).await.about("client")?;
            desk.tell(&operator, Act::ClientGrantsEnded, client.as_str());
            cutoff
        }
        (user, client, made_before) => {
            let made_before = made_before.unwrap_or(Time::NEVER_REACHED);
            let count = server.end_grants_made_before(&filter, made_before.0).await?;
            desk.tell(&operator, Act::GrantsEnded, &described(user.as_ref(), client.as_ref(), made_before));
            GrantsEnded { by: EndedBy::OneByOne, count: Some(count) }
        }
    }))
}

fn filter(user: Option<&str>, client: Option<&str>, with_revoked: bool) -> Result<GrantFilter, AdminError> {
    let user = given("user", user, Subject::parse)?;
    let client = given("client", client, ClientId::parse)?;
    Ok(GrantFilter { user, client, with_revoked })
}

/// Which grants were meant, for the audit trail.
fn described(user: Option<&Subject>, client: Option<&ClientId>, made_before: Time) -> String {
    let user = user.map(|user| format!("user {user}"));
    let client = client.map(|client| format!("client {client}"));
    let made_before = (made_before != Time::NEVER_REACHED).then(|| format!("made before {made_before}"));
    [user, client, made_before].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

impl From<&ListedGrant> for GrantView {
    fn from(listed: &ListedGrant) -> Self {
        let grant = &listed.grant;
        Self {
            id: grant.id.to_string(),
            user: grant.subject.to_string(),
            client: grant.client.to_string(),
            scope: grant.scope.as_str().to_owned(),
            resources: grant.resources.iter().map(|resource| resource.as_str().to_owned()).collect(),
            state: listed.state.into(),
            created_at: grant.created_at.into(),
            authenticated_at: grant.authenticated_at.into(),
            used_at: grant.rotated_at.into(),
            expires_at: grant.refresh_expires_at().map(Time),
            absolute_expires_at: grant.absolute_expires_at.map(Time),
            revoked_at: grant.revoked_at.map(Time),
            generation: grant.generation.0,
            ends_with_session: grant.session.is_some(),
            approved_from: grant.approved_from.as_ref().map(|from| from.address.to_string()),
        }
    }
}

impl From<AccessVerdict> for GrantState {
    fn from(verdict: AccessVerdict) -> Self {
        match verdict {
            AccessVerdict::Active => Self::Active,
            AccessVerdict::Expired => Self::Expired,
            AccessVerdict::Revoked => Self::Revoked,
            AccessVerdict::UserDisabled => Self::UserDisabled,
            AccessVerdict::ClientDisabled => Self::ClientDisabled,
            AccessVerdict::DeadEpoch => Self::DeadEpoch,
            AccessVerdict::RolledBack => Self::RolledBack,
        }
    }
}
