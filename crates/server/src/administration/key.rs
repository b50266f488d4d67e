//! `regrant key`.

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use regrant_admin::{KeyChoice, KeysView, MasterKeyState, PreparedKey, RotateKeys, RotatedKeys, SigningKeyState};

use super::api::{AdminApi, run};
use super::confirm::Consent;
use super::output::Output;
use super::path;
use super::place::CommonOptions;
use super::table::table;

/// What `regrant key` can be told.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct KeyOptions {
    #[command(flatten)]
    common: CommonOptions,
    #[command(subcommand)]
    command: KeyCommand,
}

const EXAMPLES: &str = "\
Examples:
  regrant key list
  regrant key rotate
  regrant key rotate master
  regrant key prepare
  regrant key withdraw KEY";

#[derive(Subcommand, Clone, Debug)]
enum KeyCommand {
    /// List the keys, and what each does; never the keys themselves.
    #[command(after_help = "Examples:\n  regrant key list\n  regrant key list --json | jq '.signing'")]
    List,
    /// Make the next master key, to be copied to every node before regrant key rotate master puts it in force.
    #[command(after_help = PREPARE_EXAMPLES)]
    Prepare,
    /// Make a successor of a key. What was made with the old one stays good, unless it was stolen.
    #[command(after_help = ROTATE_EXAMPLES)]
    Rotate(Rotate),
    /// Take a signing key that signs no more out of the key set. What it signed is refused.
    #[command(after_help = WITHDRAW_EXAMPLES)]
    Withdraw(Withdraw),
}

const PREPARE_EXAMPLES: &str = "\
Examples:
  regrant key prepare
  regrant key prepare --json | jq '.kid'

The key is in master.key of this node. Copy the file to the others, which read it within a second, and then run
regrant key rotate master. Where one server has the store for itself, rotate alone does both.";

const WITHDRAW_EXAMPLES: &str = "\
Examples:
  regrant key withdraw 5Qf1tQ2v4Ky1l0cXG7o6h8Yw3mJb9dRzNnVxA0sTeUI
  regrant key withdraw 5Qf1tQ2v4Ky1l0cXG7o6h8Yw3mJb9dRzNnVxA0sTeUI --yes

The key that signs cannot be withdrawn: rotate it first. Withdraw an older one when the tokens that it signed have ended.";

#[derive(Args, Clone, Debug)]
struct Withdraw {
    /// The key, by the name that regrant key list shows.
    #[arg(value_name = "KEY", allow_hyphen_values = true)]
    key_id: String,
    #[command(flatten)]
    consent: Consent,
}

const ROTATE_EXAMPLES: &str = "\
Examples:
  regrant key rotate
  regrant key rotate master
  regrant key rotate es256 --emergency
  regrant key rotate master --emergency";

#[derive(Args, Clone, Debug)]
struct Rotate {
    /// Which key: the three that sign, where none is named. An emergency has to name one.
    #[arg(value_enum, value_name = "KEY")]
    key: Option<Choice>,
    /// The key was stolen: what was made with it ends now.
    #[arg(long)]
    emergency: bool,
    #[command(flatten)]
    consent: Consent,
}

impl Rotate {
    /// Whoever types `--emergency` and no more may believe that it ends everything.
    fn key(&self) -> Result<Choice> {
        match self.key {
            Some(key) => Ok(key),
            None if self.emergency => bail!(
                "say which key was stolen: signing (or es256, eddsa, rs256) ends ID tokens and access tokens that are JWTs, and \
                 refresh tokens live on; master ends every token"
            ),
            None => Ok(Choice::Signing),
        }
    }
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum Choice {
    /// All three that sign.
    Signing,
    /// The one that signs ES256.
    Es256,
    /// The one that signs EdDSA.
    Eddsa,
    /// The one that signs RS256.
    Rs256,
    /// The master key, under which refresh tokens and codes are made.
    Master,
}

impl From<Choice> for KeyChoice {
    fn from(choice: Choice) -> Self {
        match choice {
            Choice::Signing => Self::Signing,
            Choice::Es256 => Self::Es256,
            Choice::Eddsa => Self::Eddsa,
            Choice::Rs256 => Self::Rs256,
            Choice::Master => Self::Master,
        }
    }
}

/// Runs `regrant key`.
///
/// # Errors
/// Why nothing was done.
pub fn key(options: KeyOptions) -> Result<()> {
    let KeyOptions { common, command } = options;
    let place = common.find()?;
    let output = Output { is_json: common.json };
    run(async {
        let api = AdminApi::reach(&place).await?;
        match command {
            KeyCommand::List => output.answer(&api.get("/keys").await?, listed),
            KeyCommand::Prepare => {
                let prepared: PreparedKey = serde_json::from_value(api.act("/keys/prepare").await?)?;
                output.done(&prepared, &prepared_meaning(prepared))
            }
            KeyCommand::Rotate(rotate) => {
                let key = rotate.key()?;
                let Rotate { emergency, consent, .. } = rotate;
                if emergency {
                    consent.to("End everything that was made with this key, now?", &common)?;
                }
                let rotated: RotatedKeys = api.post("/keys/rotate", &RotateKeys { key: key.into(), emergency }).await?;
                output.done(&rotated, &meaning(&rotated, emergency))
            }
            KeyCommand::Withdraw(Withdraw { key_id, consent }) => {
                consent.to(&format!("Refuse everything that signing key {key_id:?} signed, now?"), &common)?;
                let answer = api.act(&format!("{}/withdraw", path::of("keys", &key_id))).await?;
                output.done(&answer, &format!("signing key {key_id:?} is withdrawn: what it signed is refused"))
            }
        }
    })
}

fn prepared_meaning(prepared: PreparedKey) -> String {
    let kid = prepared.kid;
    format!(
        "master key {kid} is in master.key of this node: copy that to every node, and then run regrant key rotate master"
    )
}

fn meaning(rotated: &RotatedKeys, is_emergency: bool) -> String {
    let made = rotated.made.join(", ");
    match (rotated.signs_from, is_emergency) {
        (Some(_), true) => format!("made {made}, which sign from now on: what the old keys signed is refused"),
        (Some(time), false) => {
            format!("made {made}, which sign from {time} on: until then everybody has learnt of them")
        }
        (None, true) => {
            format!(
                "made master key {made}: every token of an older one is refused. Keep a new copy of master.key, and copy it to \
                 the other nodes, which answer 503 until they have it"
            )
        }
        (None, false) => format!("made master key {made}: new tokens are of it. Keep a new copy of master.key"),
    }
}

fn listed(keys: &KeysView) -> String {
    let master = keys.master.iter().map(|key| {
        [key.kid.to_string(), "master".to_owned(), of_master(key.state).to_owned(), String::new(), String::new()]
    });
    let signing = keys.signing.iter().map(|key| {
        let (created, signs) = (key.created_at.to_string(), key.signs_from.to_string());
        [key.key_id.clone(), key.algorithm.clone(), state(key.state).to_owned(), created, signs]
    });
    table(["KEY", "FOR", "STATE", "MADE", "SIGNS FROM"], &master.chain(signing).collect::<Vec<_>>())
}

const fn of_master(state: MasterKeyState) -> &'static str {
    match state {
        MasterKeyState::Good => "good",
        MasterKeyState::Newest => "newest",
        MasterKeyState::Prepared => "prepared",
        MasterKeyState::Missing => "missing",
    }
}

const fn state(state: SigningKeyState) -> &'static str {
    match state {
        SigningKeyState::Waiting => "waiting",
        SigningKeyState::Signing => "signing",
        SigningKeyState::Verifying => "verifying",
        SigningKeyState::Withdrawn => "withdrawn",
    }
}
