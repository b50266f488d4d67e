//! `regrant user`.

use anyhow::Result;
use clap::{Args, Subcommand};
use regrant_admin::{Listing, NewPassword, NewUser, UserPatch, UserView, WireSecret};
use regrant_protocol::Profile;
use serde_json::Value;

use super::api::{AdminApi, run};
use super::confirm::Consent;
use super::listing::ListOptions;
use super::named_user::find_user;
use super::output::{Output, note};
use super::path::of;
use super::place::CommonOptions;
use super::profile::ProfileOptions;
use super::secret_input::PasswordOptions;
use super::table::{fields, printable, table};
use super::underscored::Underscored;

/// What `regrant user` can be told.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct UserOptions {
    #[command(flatten)]
    common: CommonOptions,
    #[command(subcommand)]
    command: UserCommand,
}

const EXAMPLES: &str = "\
Examples:
  regrant user add alice --name 'Alice Liddell' --email alice@example.com
  regrant user set-password alice --end-grants
  regrant user disable alice";

#[derive(Subcommand, Clone, Debug)]
enum UserCommand {
    /// Register a person who can log in.
    #[command(after_help = ADD_EXAMPLES)]
    Add(Add),
    /// List the users, by login name.
    #[command(after_help = "Examples:\n  regrant user list\n  regrant user list --json | jq -r '.items[].username'")]
    List(ListOptions),
    /// Show a user, and what clients may learn about them.
    #[command(after_help = "Examples:\n  regrant user show alice")]
    Show(Named),
    /// Change what clients may learn about a user. What is not named stays as it is.
    #[command(
        after_help = "Examples:\n  regrant user update alice --email new@example.com --email-verified=false\n  regrant user update alice --unset picture"
    )]
    Update(Update),
    /// Give a user a new password.
    #[command(after_help = PASSWORD_EXAMPLES)]
    SetPassword(SetPassword),
    /// Stop the refreshes and logins of a user for now. Grants live on, and wait.
    #[command(after_help = "Examples:\n  regrant user lock alice")]
    Lock(Named),
    /// Let a user in no more: login sessions end, refreshes are refused until the user is enabled again.
    #[command(after_help = "Examples:\n  regrant user disable alice")]
    Disable(Named),
    /// Let a user in again who was locked or disabled.
    #[command(after_help = "Examples:\n  regrant user enable alice")]
    Enable(Named),
    /// Remove a user for good, with profile, sessions, consents and grants.
    #[command(after_help = "Examples:\n  regrant user remove alice\n  regrant user remove alice --yes")]
    Remove(Remove),
}

const ADD_EXAMPLES: &str = "\
Examples:
  regrant user add alice --name 'Alice Liddell' --email alice@example.com
  openssl rand -base64 18 | regrant user add bob --password-stdin
  regrant user add carol --password-file carol.password";

const PASSWORD_EXAMPLES: &str = "\
Examples:
  regrant user set-password alice
  regrant user set-password alice --end-grants --password-file alice.password";

#[derive(Args, Clone, Debug)]
struct Named {
    /// The name by which the user logs in, or the subject.
    #[arg(value_name = "USER", allow_hyphen_values = true)]
    user: String,
}

#[derive(Args, Clone, Debug)]
struct Add {
    /// The name by which the user logs in.
    #[arg(value_name = "USERNAME")]
    username: String,
    #[command(flatten)]
    password: PasswordOptions,
    #[command(flatten)]
    profile: ProfileOptions,
}

#[derive(Args, Clone, Debug)]
struct Update {
    #[command(flatten)]
    named: Named,
    /// Take a claim away.
    #[arg(long, value_name = "CLAIM", value_parser = claims())]
    unset: Vec<String>,
    #[command(flatten)]
    profile: ProfileOptions,
}

#[derive(Args, Clone, Debug)]
struct SetPassword {
    #[command(flatten)]
    named: Named,
    /// End all grants and login sessions of the user too: somebody else knew the old password.
    #[arg(long)]
    end_grants: bool,
    #[command(flatten)]
    password: PasswordOptions,
}

#[derive(Args, Clone, Debug)]
struct Remove {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    consent: Consent,
}

fn claims() -> Underscored {
    Underscored::one_of(Profile::PROFILE_CLAIMS.into_iter().chain(Profile::EMAIL_CLAIMS))
}

/// Runs `regrant user`.
///
/// # Errors
/// Why nothing was done.
pub fn user(options: UserOptions) -> Result<()> {
    let UserOptions { common, command } = options;
    let place = common.find()?;
    run(async {
        let api = AdminApi::reach(&place).await?;
        perform(&api, &common, command).await
    })
}

async fn perform(api: &AdminApi, common: &CommonOptions, command: UserCommand) -> Result<()> {
    let output = Output { is_json: common.json };
    match command {
        UserCommand::Add(Add { username, password, profile }) => {
            let password = WireSecret(password.read(common)?);
            let new = NewUser { username: username.clone(), password, profile: profile.patch(&[]) };
            let added: UserView = api.post("/users", &new).await?;
            output.done(&added, &format!("user {username} is registered, with the subject {}", added.subject))
        }
        UserCommand::List(list) => output.answer(&list.list(api, "/users", &[]).await?, listed),
        UserCommand::Show(Named { user }) => output.answer(&find_user(api, &user).await?, shown),
        UserCommand::Update(Update { named: Named { user }, unset, profile }) => {
            let subject = find_user(api, &user).await?.subject;
            let patch = UserPatch { profile: profile.patch(&unset) };
            if patch.profile.is_empty() {
                note(&format!("user {user} stays as it is: no claim was named"));
                return Ok(());
            }
            let changed: UserView = api.patch(&of("users", &subject), &patch).await?;
            output.done(&changed, &format!("user {user} is changed: clients learn it at the next userinfo or ID token"))
        }
        UserCommand::SetPassword(SetPassword { named: Named { user }, end_grants, password }) => {
            let subject = find_user(api, &user).await?.subject;
            let new = NewPassword { password: WireSecret(password.read(common)?), end_grants };
            let answer: Value = api.post(&format!("{}/password", of("users", &subject)), &new).await?;
            let meaning = if end_grants { "; all grants and login sessions have ended" } else { "; grants live on" };
            output.done(&answer, &format!("user {user} has a new password{meaning}"))
        }
        UserCommand::Lock(named) => {
            act(api, output, named, "lock", "is locked: logins and refreshes are refused, and grants wait").await
        }
        UserCommand::Disable(named) => {
            act(
                api,
                output,
                named,
                "disable",
                "is disabled: login sessions have ended, and the next refresh is refused",
            )
            .await
        }
        UserCommand::Enable(named) => {
            act(api, output, named, "enable", "is enabled: logins and refreshes are answered").await
        }
        UserCommand::Remove(Remove { named: Named { user }, consent }) => {
            let subject = find_user(api, &user).await?.subject;
            consent.to(&format!("Remove user {} and end all their grants, for good?", printable(&user)), common)?;
            let answer: Value = api.delete(&of("users", &subject)).await?;
            output.done(&answer, &format!("user {user} is removed: profile, sessions, consents and grants are gone"))
        }
    }
}

async fn act(api: &AdminApi, output: Output, Named { user }: Named, action: &str, told: &str) -> Result<()> {
    let subject = find_user(api, &user).await?.subject;
    let answer = api.act(&format!("{}/{action}", of("users", &subject))).await?;
    output.done(&answer, &format!("user {user} {told}"))
}

fn listed(users: &Listing<UserView>) -> String {
    let row = |user: &UserView| {
        let Profile { name, email, .. } = user.profile.clone();
        let status = user.status.as_str().to_owned();
        [user.username.clone(), user.subject.clone(), status, name.unwrap_or_default(), email.unwrap_or_default()]
    };
    table(["USERNAME", "SUBJECT", "STATUS", "NAME", "EMAIL"], &users.items.iter().map(row).collect::<Vec<_>>())
}

fn shown(user: &UserView) -> String {
    let profile = serde_json::to_value(&user.profile).unwrap_or_default();
    let claims = profile.as_object().into_iter().flatten().map(|(claim, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (claim.as_str(), text)
    });
    let own = [
        ("username", user.username.clone()),
        ("subject", user.subject.clone()),
        ("status", user.status.as_str().to_owned()),
        ("has_password", user.has_password.to_string()),
    ];
    fields(&own.into_iter().chain(claims).collect::<Vec<_>>())
}
