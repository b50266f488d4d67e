use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use regrant_crypto::ClientSecret;
use regrant_engine::{Act, RegistrationError, Secrecy};
use regrant_protocol::{ClientId, Scope};
use regrant_store::Client;

use crate::about::About;
use crate::api::Api;
use crate::client_settings::kind;
use crate::desk::{Desk, Operator};
use crate::error::AdminError;
use crate::json::Json;
use crate::named::{Named, given};
use crate::operation::Operation;
use crate::query::{Query, count_max};
use crate::{
    ChangedClient, ClientFields, ClientPatch, ClientView, EndedBy, ErrorCode, GrantsEnded, Listing, NewClient,
    PageQuery, RegisteredClient, RemovedClient, RotateSecret, RotatedSecret, WireSecret,
};

const CLIENT: &str = "client";
const CHANGE_THERE: &str =
    "change it there as well, or the next start or SIGHUP of the server brings back what stands there";
const REMOVE_THERE: &str = "take it out there as well, or the next start of the server fails";

pub(super) fn serve(api: Api) -> Api {
    api.serves(
        Operation::get("/clients", "listClients", "Lists clients, by id.")
            .query::<PageQuery>()
            .answers::<Listing<ClientView>>(),
        list,
    )
    .serves(
        Operation::post("/clients", "addClient", "Registers a client.")
            .takes::<NewClient>()
            .creates::<RegisteredClient>()
            .refuses(&[ErrorCode::Taken, ErrorCode::Rule]),
        add,
    )
    .serves(Operation::get("/clients/{id}", "showClient", "Shows a client.").answers::<ClientView>(), show)
    .serves(
        Operation::patch("/clients/{id}", "updateClient", "Changes settings of a client.")
            .takes::<ClientPatch>()
            .answers::<ChangedClient>()
            .refuses(&[ErrorCode::Rule, ErrorCode::Outdated]),
        update,
    )
    .serves(
        Operation::delete("/clients/{id}", "removeClient", "Removes a client for good, with what users allowed it.")
            .answers::<RemovedClient>(),
        remove,
    )
    .serves(
        Operation::post(
            "/clients/{id}/rotate-secret",
            "rotateClientSecret",
            "Gives a client another secret; the old one is refused from now on.",
        )
        .may_take::<RotateSecret>()
        .answers::<RotatedSecret>()
        .refuses(&[ErrorCode::Rule, ErrorCode::Outdated]),
        rotate_secret,
    )
    .serves(
        Operation::post("/clients/{id}/disable", "disableClient", "Keeps a client from having tokens.")
            .answers::<ClientView>(),
        disable,
    )
    .serves(
        Operation::post("/clients/{id}/enable", "enableClient", "Lets a client have tokens again.")
            .answers::<ClientView>(),
        enable,
    )
    .serves(
        Operation::post("/clients/{id}/end-grants", "endGrantsOfClient", "Ends all grants and tokens of a client.")
            .answers::<GrantsEnded>(),
        end_grants,
    )
}

async fn list(
    State(desk): State<Arc<Desk>>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Listing<ClientView>>, AdminError> {
    let after = given("after", page.after.as_deref(), ClientId::parse)?;
    let count_max = count_max(page.limit)? as usize;
    let mut clients = desk.server().store().clients().await?;
    clients.sort_by(|one, other| one.id.cmp(&other.id));
    clients.retain(|client| after.as_ref().is_none_or(|after| client.id > *after));
    let has_more = clients.len() > count_max;
    clients.truncate(count_max);
    let next = clients.last().filter(|_| has_more).map(|last| last.id.to_string());
    Ok(Json(Listing { items: clients.iter().map(ClientView::from).collect(), next }))
}

async fn add(
    State(desk): State<Arc<Desk>>,
    operator: Operator,
    Json(new): Json<NewClient>,
) -> Result<(StatusCode, Json<RegisteredClient>), AdminError> {
    let id = ClientId::parse(&new.id).map_err(|error| AdminError::Field {
        field: "id",
        message: format!("{:?} cannot be a client_id: {error}", new.id),
    })?;
    let secrecy = match (new.public, new.secret) {
        (true, Some(_)) => return Err(RegistrationError::PublicSecret.into()),
        (true, None) => Secrecy::Public,
        (false, None) => Secrecy::Generated,
        (false, Some(chosen)) => Secrecy::Chosen(chosen.0),
    };
    let default = desk.default_fields(new.public);
    let settings = new.settings.apply(&default, &default)?.into_settings()?;
    // Not read again: a secret that is lost on the way cannot be asked for.
    let fields = ClientFields::from(&settings);
    let generated = desk.server().register_client(id.clone(), secrecy, settings).await.about(CLIENT)?;
    desk.tell(&operator, Act::ClientRegistered, id.as_str());
    let client = ClientView { id: id.to_string(), public: new.public, enabled: true, settings: fields };
    Ok((StatusCode::CREATED, Json(RegisteredClient { client, secret: generated.as_ref().map(shown) })))
}

async fn show(State(desk): State<Arc<Desk>>, name: Named) -> Result<Json<ClientView>, AdminError> {
    desk.view(&name.parse(CLIENT, ClientId::parse)?).await
}

async fn update(
    State(desk): State<Arc<Desk>>,
    operator: Operator,
    name: Named,
    Json(patch): Json<ClientPatch>,
) -> Result<Json<ChangedClient>, AdminError> {
    let id = name.parse(CLIENT, ClientId::parse)?;
    let patched = |client: &Client| {
        let default = desk.default_fields(client.settings.is_public());
        patch.apply(&ClientFields::from(&client.settings), &default)?.into_settings()
    };
    let client = desk.server().update_client(&id, patched).await.about(CLIENT)?;
    desk.tell(&operator, Act::ClientChanged, id.as_str());
    let warning = desk.comes_back(&id).map(|place| format!("client {id} is at {place} too: {CHANGE_THERE}"));
    Ok(Json(ChangedClient { client: ClientView::from(&client), warning }))
}

async fn remove(
    State(desk): State<Arc<Desk>>,
    operator: Operator,
    name: Named,
) -> Result<Json<RemovedClient>, AdminError> {
    let id = name.parse(CLIENT, ClientId::parse)?;
    desk.server().remove_client(&id).await.about(CLIENT)?;
    desk.tell(&operator, Act::ClientRemoved, id.as_str());
    let warning = desk.comes_back(&id).map(|place| format!("client {id} is at {place} too: {REMOVE_THERE}"));
    Ok(Json(RemovedClient { warning }))
}

async fn rotate_secret(
    State(desk): State<Arc<Desk>>,
    operator: Operator,
    name: Named,
    asked: Option<Json<RotateSecret>>,
) -> Result<Json<RotatedSecret>, AdminError> {
    let id = name.parse(CLIENT, ClientId::parse)?;
    let chosen = asked.and_then(|Json(asked)| asked.secret).map(|chosen| chosen.0);
    let generated = desk.server().rotate_client_secret(&id, chosen).await.about(CLIENT)?;
    desk.tell(&operator, Act::ClientSecretRotated, id.as_str());
    let warning = desk.comes_back(&id).map(|place| format!("client {id} is at {place} too: {CHANGE_THERE}"));
    Ok(Json(RotatedSecret { secret: generated.as_ref().map(shown), warning }))
}

async fn disable(
    State(desk): State<Arc<Desk>>,
    operator: Operator,
    name: Named,
) -> Result<Json<ClientView>, AdminError> {
    let id = name.parse(CLIENT, ClientId::parse)?;
    desk.server().set_client_enabled(&id, false).await.about(CLIENT)?;
    desk.tell(&operator, Act::ClientDisabled, id.as_str());
    desk.view(&id).await
}

async fn enable(
    State(desk): State<Arc<Desk>>,
    operator: Operator,
    name: Named,
) -> Result<Json<ClientView>, AdminError> {
    let id = name.parse(CLIENT, ClientId::parse)?;
    desk.server().set_client_enabled(&id, true).await.about(CLIENT)?;
    desk.tell(&operator, Act::ClientEnabled, id.as_str());
    desk.view(&id).await
}

async fn end_grants(
    State(desk): State<Arc<Desk>>,
    operator: Operator,
    name: Named,
) -> Result<Json<GrantsEnded>, AdminError> {
    let id = name.parse(CLIENT, ClientId::parse)?;
    desk.server().end_grants_of_client(&id).await.about(CLIENT)?;
    desk.tell(&operator, Act::ClientGrantsEnded, id.as_str());
    Ok(Json(GrantsEnded { by: EndedBy::Cutoff, count: None }))
}

impl Desk {
    async fn client(&self, id: &ClientId) -> Result<Client, AdminError> {
        let found = self.server().store().client(id).await?;
        found.ok_or_else(|| AdminError::Unknown { what: CLIENT, name: id.to_string() })
    }

    async fn view(&self, id: &ClientId) -> Result<Json<ClientView>, AdminError> {
        Ok(Json(ClientView::from(&self.client(id).await?)))
    }

    /// Where the configuration brings a client back as it was.
    fn comes_back(&self, id: &ClientId) -> Option<String> {
        self.administration.program.where_configured(id)
    }

    /// What a client is of which nobody has said anything.
    fn default_fields(&self, is_public: bool) -> ClientFields {
        ClientFields::from(&self.administration.program.client_defaults().settings(kind(is_public), Scope::empty()))
    }
}

fn shown(secret: &ClientSecret) -> WireSecret {
    WireSecret::new(secret.expose().to_owned())
}
