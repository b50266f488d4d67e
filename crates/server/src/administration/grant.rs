//! `regrant grant`.

use anyhow::Result;
use clap::{ArgGroup, Args, Subcommand};
use regrant_admin::{ClientView, EndGrants, EndedBy, GrantState, GrantView, GrantsEnded, Listing, Time};

use super::api::{AdminApi, run};
use super::confirm::Consent;
use super::listing::ListOptions;
use super::named_user::find_user;
use super::output::Output;
use super::path::of;
use super::place::CommonOptions;
use super::table::{fields, printable, table};

/// What `regrant grant` can be told.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct GrantOptions {
    #[command(flatten)]
    common: CommonOptions,
    #[command(subcommand)]
    command: GrantCommand,
}

const EXAMPLES: &str = "\
Examples:
  regrant grant list --user alice
  regrant grant revoke --client photos
  regrant grant revoke --before 2026-03-01T12:00:00Z";

#[derive(Subcommand, Clone, Debug)]
enum GrantCommand {
    /// List grants: what users let clients do, and whether it still holds.
    #[command(
        after_help = "Examples:\n  regrant grant list --user alice\n  regrant grant list --client photos --revoked --json"
    )]
    List(List),
    /// Show everything about a grant.
    #[command(after_help = "Examples:\n  regrant grant show bxwqngt9TF-OOhssTV5vcA")]
    Show(Named),
    /// End grants: one by its id, or all of a user, of a client, or made before a time, at once.
    #[command(after_help = REVOKE_EXAMPLES)]
    Revoke(Revoke),
}

const REVOKE_EXAMPLES: &str = "\
Examples:
  regrant grant revoke bxwqngt9TF-OOhssTV5vcA
  regrant grant revoke --client photos --yes
  regrant grant revoke --user alice --client photos
  regrant grant revoke --before 2026-03-01T12:00:00Z";

#[derive(Args, Clone, Debug)]
struct Named {
    /// The id of the grant, as lists and the log show it.
    #[arg(value_name = "GRANT", allow_hyphen_values = true)]
    id: String,
}

#[derive(Args, Clone, Debug)]
struct Parties {
    /// Those of this user: the login name or the subject.
    #[arg(long, value_name = "USER", allow_hyphen_values = true)]
    user: Option<String>,
    /// Those to this client.
    #[arg(long, value_name = "CLIENT", allow_hyphen_values = true)]
    client: Option<String>,
}

#[derive(Args, Clone, Debug)]
struct List {
    #[command(flatten)]
    parties: Parties,
    /// Those that were revoked too, or ended with others at once.
    #[arg(long)]
    revoked: bool,
    #[command(flatten)]
    list: ListOptions,
}

#[derive(Args, Clone, Debug)]
#[command(group = ArgGroup::new("which").args(["id", "user", "client", "before"]).required(true).multiple(true))]
struct Revoke {
    /// The id of one grant.
    #[arg(value_name = "GRANT", allow_hyphen_values = true, conflicts_with_all = ["user", "client", "before"])]
    id: Option<String>,
    #[command(flatten)]
    parties: Parties,
    /// Those made before this time, as in 2026-03-01T12:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = Time::parse)]
    before: Option<Time>,
    #[command(flatten)]
    consent: Consent,
}

/// Runs `regrant grant`.
///
/// # Errors
/// Why nothing was done.
pub fn grant(options: GrantOptions) -> Result<()> {
    let GrantOptions { common, command } = options;
    let place = common.find()?;
    run(async {
        let api = AdminApi::reach(&place).await?;
        perform(&api, &common, command).await
    })
}

async fn perform(api: &AdminApi, common: &CommonOptions, command: GrantCommand) -> Result<()> {
    let output = Output { is_json: common.json };
    match command {
        GrantCommand::List(List { parties, revoked, list }) => {
            let (user, client) = parties.find(api).await?;
            let revoked = revoked.then(|| "true".to_owned());
            let filter = [("user", user), ("client", client), ("revoked", revoked)];
            output.answer(&list.list(api, "/grants", &filter).await?, listed)
        }
        GrantCommand::Show(Named { id }) => output.answer(&api.get::<GrantView>(&of("grants", &id)).await?, shown),
        GrantCommand::Revoke(Revoke { id: Some(id), .. }) => {
            let answer = api.act(&format!("{}/end", of("grants", &id))).await?;
            output.done(&answer, &format!("grant {id} has ended: its next refresh is refused"))
        }
        GrantCommand::Revoke(Revoke { id: None, parties, before, consent }) => {
            let (user, client) = parties.find(api).await?;
            let which = parties.described(before);
            consent.to(&format!("End {}?", printable(&which)), common)?;
            let ended: GrantsEnded = api.post("/grants/end", &EndGrants { user, client, made_before: before }).await?;
            let told = match ended {
                GrantsEnded { by: EndedBy::OneByOne, count } => {
                    format!("{} ended, of {which}", number(count.unwrap_or_default()))
                }
                GrantsEnded { by: EndedBy::Cutoff, .. } => format!("{which} have ended, by one write"),
            };
            output.done(&ended, &format!("{told}: their next refresh is refused"))
        }
    }
}

impl Parties {
    /// The subject of the user and the identifier of the client.
    ///
    /// # Errors
    /// When one of them is not there: nobody ends the grants of a misspelled client.
    async fn find(&self, api: &AdminApi) -> Result<(Option<String>, Option<String>)> {
        let user = match &self.user {
            Some(user) => Some(find_user(api, user).await?.subject),
            None => None,
        };
        let client = match &self.client {
            Some(client) => Some(api.get::<ClientView>(&of("clients", client)).await?.id),
            None => None,
        };
        Ok((user, client))
    }

    fn described(&self, before: Option<Time>) -> String {
        let mut which = "all grants".to_owned();
        if let Some(user) = &self.user {
            which += &format!(" of user {user}");
        }
        if let Some(client) = &self.client {
            which += &format!(" to client {client}");
        }
        if let Some(before) = before {
            which += &format!(" made before {before}");
        }
        which
    }
}

fn number(count: u64) -> String {
    match count {
        1 => "1 grant has".to_owned(),
        count => format!("{count} grants have"),
    }
}

fn listed(grants: &Listing<GrantView>) -> String {
    let row = |grant: &GrantView| {
        let GrantView { id, user, client, scope, .. } = grant.clone();
        [id, client, user, state(grant.state).to_owned(), grant.used_at.to_string(), scope]
    };
    table(["GRANT", "CLIENT", "USER", "STATE", "USED", "SCOPE"], &grants.items.iter().map(row).collect::<Vec<_>>())
}

fn shown(grant: &GrantView) -> String {
    let time = |time: Option<Time>| time.map_or_else(|| "never".to_owned(), |time| time.to_string());
    let mut told = vec![
        ("id", grant.id.clone()),
        ("client", grant.client.clone()),
        ("user", grant.user.clone()),
        ("state", state(grant.state).to_owned()),
        ("scope", grant.scope.clone()),
        ("resources", grant.resources.join(", ")),
        ("created_at", grant.created_at.to_string()),
        ("authenticated_at", grant.authenticated_at.to_string()),
        ("used_at", grant.used_at.to_string()),
        ("generation", grant.generation.to_string()),
        ("expires_at", time(grant.expires_at)),
        ("absolute_expires_at", time(grant.absolute_expires_at)),
        ("revoked_at", time(grant.revoked_at)),
        ("ends_with_session", grant.ends_with_session.to_string()),
        ("approved_from", grant.approved_from.clone().unwrap_or_default()),
    ];
    told.retain(|(_, value)| !value.is_empty());
    fields(&told)
}

fn state(state: GrantState) -> &'static str {
    match state {
        GrantState::Active => "active",
        GrantState::Expired => "expired",
        GrantState::Revoked => "revoked",
        GrantState::UserDisabled => "user_disabled",
        GrantState::ClientDisabled => "client_disabled",
        GrantState::DeadEpoch => "dead_epoch",
        GrantState::RolledBack => "rolled_back",
    }
}
