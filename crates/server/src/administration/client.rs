//! `regrant client`.

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use regrant_admin::{
    ChangedClient, ClientPatch, ClientView, Listing, NewClient, RegisteredClient, RemovedClient, RotateSecret,
    RotatedSecret, WireSecret,
};
use serde_json::Value;

use super::api::{AdminApi, run};
use super::client_settings::{ClientSettings, setting_names};
use super::confirm::Consent;
use super::listing::ListOptions;
use super::output::{Output, note, write};
use super::path::of;
use super::place::CommonOptions;
use super::secret_input::SecretOptions;
use super::table::{fields, printable, table};

/// What `regrant client` can be told.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ClientOptions {
    #[command(flatten)]
    common: CommonOptions,
    #[command(subcommand)]
    command: ClientCommand,
}

const EXAMPLES: &str = "\
Examples:
  regrant client add photos --name Photos --redirect-uris https://photos.example/callback --scope 'openid read'
  regrant client list
  regrant client disable photos";

#[derive(Subcommand, Clone, Debug)]
enum ClientCommand {
    /// Register a client. The secret that is made for it is printed, once.
    #[command(after_help = ADD_EXAMPLES)]
    Add(Add),
    /// List the clients.
    #[command(after_help = "Examples:\n  regrant client list\n  regrant client list --json | jq -r '.items[].id'")]
    List(ListOptions),
    /// Show everything about a client, but for its secret.
    #[command(after_help = "Examples:\n  regrant client show photos\n  regrant client show photos --json")]
    Show(Named),
    /// Change settings of a client. Those that are not named stay as they are.
    #[command(after_help = UPDATE_EXAMPLES)]
    Update(Update),
    /// Give a client a new secret, which is printed, once. The old one is refused from now on.
    #[command(after_help = ROTATE_EXAMPLES)]
    RotateSecret(Rotate),
    /// Let a client have no tokens until it is enabled again. Its grants wait.
    #[command(after_help = "Examples:\n  regrant client disable photos")]
    Disable(Named),
    /// Let a client that was disabled have tokens again.
    #[command(after_help = "Examples:\n  regrant client enable photos")]
    Enable(Named),
    /// Remove a client for good. All its grants end, and no other client is ever given its identifier.
    #[command(after_help = "Examples:\n  regrant client remove photos\n  regrant client remove photos --yes")]
    Remove(Remove),
}

const ADD_EXAMPLES: &str = "\
Examples:
  regrant client add photos --redirect-uris https://photos.example/callback --scope 'openid read' > photos.secret
  regrant client add app --public --redirect-uris http://127.0.0.1/callback --scope 'openid offline_access'
  regrant client add job --grant-types client_credentials --scope read --secret-file job.secret";

const UPDATE_EXAMPLES: &str = "\
Examples:
  regrant client update photos --name 'Photos and films' --idle-lifetime 86400
  regrant client update photos --redirect-uris https://a.example/cb --redirect-uris https://b.example/cb
  regrant client update photos --unset retry_window";

const ROTATE_EXAMPLES: &str = "\
Examples:
  regrant client rotate-secret photos > photos.secret
  openssl rand -base64 32 | regrant client rotate-secret photos --secret-stdin";

#[derive(Args, Clone, Debug)]
struct Named {
    /// The identifier of the client.
    #[arg(value_name = "CLIENT")]
    id: String,
}

#[derive(Args, Clone, Debug)]
struct Add {
    #[command(flatten)]
    client: Named,
    /// It is an app that cannot keep a secret, and has none.
    #[arg(long, conflicts_with = "SecretOptions")]
    public: bool,
    #[command(flatten)]
    secret: SecretOptions,
    #[command(flatten)]
    settings: ClientSettings,
}

#[derive(Args, Clone, Debug)]
struct Update {
    #[command(flatten)]
    client: Named,
    /// Give a setting its default again.
    #[arg(long, value_name = "SETTING", value_parser = setting_names())]
    unset: Vec<String>,
    #[command(flatten)]
    settings: ClientSettings,
}

#[derive(Args, Clone, Debug)]
struct Rotate {
    #[command(flatten)]
    client: Named,
    #[command(flatten)]
    secret: SecretOptions,
}

#[derive(Args, Clone, Debug)]
struct Remove {
    #[command(flatten)]
    client: Named,
    #[command(flatten)]
    consent: Consent,
}

/// Runs `regrant client`.
///
/// # Errors
/// Why nothing was done.
pub fn client(options: ClientOptions) -> Result<()> {
    let ClientOptions { common, command } = options;
    let place = common.find()?;
    run(async {
        let api = AdminApi::reach(&place).await?;
        perform(&api, &common, command).await
    })
}

async fn perform(api: &AdminApi, common: &CommonOptions, command: ClientCommand) -> Result<()> {
    let output = Output { is_json: common.json };
    match command {
        ClientCommand::Add(add) => register(api, output, add).await,
        ClientCommand::List(list) => output.answer(&list.list(api, "/clients", &[]).await?, listed),
        ClientCommand::Show(Named { id }) => output.answer(&find(api, &id).await?, shown),
        ClientCommand::Update(update) => {
            let id = &update.client.id;
            let patch: ClientPatch = update.settings.patch(&update.unset);
            if patch.is_empty() {
                find(api, id).await?;
                note(&format!("client {id} stays as it is: no setting was named"));
                return Ok(());
            }
            let changed: ChangedClient = api.patch(&of("clients", id), &patch).await?;
            output.done(&changed, &format!("client {id} is changed, from its next request on"))?;
            warn(changed.warning.as_deref());
            Ok(())
        }
        ClientCommand::RotateSecret(Rotate { client: Named { id }, secret }) => {
            let asked = RotateSecret { secret: secret.read()?.map(WireSecret) };
            let rotated: RotatedSecret = api.post(&format!("{}/rotate-secret", of("clients", &id)), &asked).await?;
            let told = format!("client {id} has a new secret; the old one is refused from now on");
            with_secret(output, &rotated, rotated.secret.as_ref(), &told)?;
            warn(rotated.warning.as_deref());
            Ok(())
        }
        ClientCommand::Disable(Named { id }) => {
            let answer = act(api, &id, "disable").await?;
            output.done(
                &answer,
                &format!("client {id} is disabled: its next refresh is refused. Its grants wait until it is enabled"),
            )
        }
        ClientCommand::Enable(Named { id }) => {
            let answer = act(api, &id, "enable").await?;
            output.done(&answer, &format!("client {id} is enabled: its next refresh is answered"))
        }
        ClientCommand::Remove(Remove { client: Named { id }, consent }) => {
            find(api, &id).await?;
            consent.to(&format!("Remove client {} and end all its grants, for good?", printable(&id)), common)?;
            let removed: RemovedClient = api.delete(&of("clients", &id)).await?;
            let told =
                format!("client {id} is removed: its grants have ended, and its identifier is never given again");
            output.done(&removed, &told)?;
            warn(removed.warning.as_deref());
            Ok(())
        }
    }
}

async fn register(api: &AdminApi, output: Output, add: Add) -> Result<()> {
    let Add { client: Named { id }, public, secret, settings } = add;
    let secret = if public { None } else { secret.read()?.map(WireSecret) };
    let new = NewClient { id: id.clone(), public, secret, settings: settings.patch(&[]) };
    let registered: RegisteredClient = api.post("/clients", &new).await?;
    let told = match (&registered.secret, public) {
        (Some(_), _) => format!("client {id} is registered. Its secret is printed this one time: keep it"),
        (None, true) => format!("client {id} is registered, without a secret"),
        (None, false) => format!("client {id} is registered, with the secret that was given"),
    };
    with_secret(output, &registered, registered.secret.as_ref(), &told)
}

/// Prints a secret that was made: it is all that there is on standard output.
fn with_secret<T: serde::Serialize>(output: Output, answer: &T, secret: Option<&WireSecret>, told: &str) -> Result<()> {
    let Some(secret) = secret else { return output.done(answer, told) };
    let printed = if output.is_json {
        output.answer(answer, |_| String::new())
    } else {
        write(&format!("{}\n", secret.expose()))
    };
    printed.with_context(|| format!("{told}, but it could not be printed: make another with client rotate-secret"))?;
    note(told);
    Ok(())
}

/// What holds only until somebody looks at the configuration.
fn warn(warning: Option<&str>) {
    if let Some(warning) = warning {
        note(&format!("but {warning}"));
    }
}

async fn find(api: &AdminApi, id: &str) -> Result<ClientView> {
    api.get(&of("clients", id)).await
}

async fn act(api: &AdminApi, id: &str, action: &str) -> Result<Value> {
    api.act(&format!("{}/{action}", of("clients", id))).await
}

fn listed(clients: &Listing<ClientView>) -> String {
    let row = |client: &ClientView| {
        let kind = if client.public { "public" } else { "confidential" };
        let state = if client.enabled { "enabled" } else { "disabled" };
        let name = client.settings.name.clone().unwrap_or_default();
        [client.id.clone(), name, kind.to_owned(), state.to_owned(), client.settings.scope.clone()]
    };
    table(["CLIENT", "NAME", "KIND", "STATE", "SCOPE"], &clients.items.iter().map(row).collect::<Vec<_>>())
}

/// Every field in the words of the API; those that are not set are left out.
fn shown(client: &ClientView) -> String {
    let value = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    };
    let settings = serde_json::to_value(&client.settings).unwrap_or_default();
    let settings = settings.as_object().into_iter().flatten().map(|(name, told)| (name.as_str(), value(told)));
    let own =
        [("id", client.id.clone()), ("public", client.public.to_string()), ("enabled", client.enabled.to_string())];
    fields(&own.into_iter().chain(settings).filter(|(_, value)| !value.is_empty()).collect::<Vec<_>>())
}
