use std::path::PathBuf;

use clap::{Args, ValueEnum};
use regrant_store::AccessTokenFormat;

/// What `regrant bench` can be told.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Examples:\n  regrant bench refresh\n  regrant bench refresh --chains 64 --seconds 10 --access-token es256 --json\n  regrant bench exchange --directory /var/tmp\n  regrant bench refresh --url http://127.0.0.1:9000/token --client-id app --secret-file app.secret --tokens tokens.txt --pid 4711"
)]
pub struct BenchOptions {
    /// What is asked for.
    #[arg(value_enum)]
    pub(super) workload: Workload,
    /// What the server keeps its grants in.
    #[arg(long, value_enum, default_value = "sqlite")]
    pub(super) store: StoreChoice,
    /// Where that PostgreSQL is, without the password: an empty database, in which what is made stays.
    #[arg(long, value_name = "URL", conflicts_with = "url")]
    pub(super) store_url: Option<String>,
    /// A file with the password for it.
    #[arg(long, value_name = "FILE", requires = "store_url")]
    pub(super) store_password_file: Option<PathBuf>,
    /// How many chains of requests go on at once, each on a connection of its own.
    #[arg(long, value_name = "NUMBER", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) chains: u32,
    /// How long each load is measured.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(super) seconds: u32,
    /// How long each load runs before it is measured.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=3_600))]
    pub(super) warm_up: u32,
    /// Send so many requests a second, whatever is answered, and count latency from when each was due; without it, as fast as
    /// answers come.
    #[arg(long, value_name = "PER_SECOND", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) rate: Option<u32>,
    /// How access tokens are made; without it opaque, for refresh ES256 too, and for overload RS256.
    #[arg(long, value_enum, value_name = "FORMAT", ignore_case = true)]
    pub(super) access_token: Option<FormatChoice>,
    /// How many codes or tokens are made for what uses up each of them.
    #[arg(long, value_name = "NUMBER", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(super) supply: u32,
    /// How many other live grants the store has, as logins with a browser made them.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100_000_000))]
    pub(super) grants: u32,
    /// On which disk the server keeps its data, in a directory that goes again.
    #[arg(long, value_name = "DIR")]
    pub(super) directory: Option<PathBuf>,
    /// Keep the load to the last processor, and the server to the others.
    #[arg(long)]
    pub(super) pin: bool,
    /// Where the file of callgrind is kept from which instructions are counted.
    #[arg(long, value_name = "FILE")]
    pub(super) counts: Option<PathBuf>,
    /// Print one line of JSON for each load and each row of the table.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) other: OtherServer,
}

/// A server that runs already, regrant or not.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Another server")]
pub(super) struct OtherServer {
    /// Its token endpoint, or for introspect and revoke that endpoint; nothing is started then.
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    /// The client.
    #[arg(long, value_name = "CLIENT", requires = "url")]
    pub(super) client_id: Option<String>,
    /// A file with its secret.
    #[arg(long, value_name = "FILE", requires = "client_id")]
    pub(super) secret_file: Option<PathBuf>,
    /// Send identifier and secret in the header (client_secret_basic) rather than in the form.
    #[arg(long, requires = "secret_file")]
    pub(super) basic: bool,
    /// A file with one refresh token, code or access token in each line: as many as there are chains, or as are to be used up.
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(super) tokens: Option<PathBuf>,
    /// A user, for whom each chain logs in by the password grant, where there is no file of tokens.
    #[arg(long, value_name = "USER", requires = "password_file", conflicts_with = "tokens")]
    pub(super) username: Option<String>,
    /// A file with the password of the user.
    #[arg(long, value_name = "FILE", requires = "username")]
    pub(super) password_file: Option<PathBuf>,
    /// What is sent with every request beside the above, as the part of a form, such as `scope=offline` or
    /// `redirect_uri=…&code_verifier=…`.
    #[arg(long, value_name = "FORM", requires = "url")]
    pub(super) form: Option<String>,
    /// The processes of the server and of its database, whose use of the processor is told; those that they started count too. Of
    /// a server that is started here, those of its database.
    #[arg(long, value_name = "PID")]
    pub(super) pid: Vec<u32>,
    /// The certificates that are believed, in PEM, for https.
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(super) ca: Option<PathBuf>,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Workload {
    /// Refresh tokens, each with the token of the answer before.
    Refresh,
    /// Codes for tokens.
    Exchange,
    /// Access tokens for the client itself.
    ClientCredentials,
    /// Ask about an access token.
    Introspect,
    /// Revoke refresh tokens.
    Revoke,
    /// One refresh token, sent on all connections at once: all get one successor.
    AtOnce,
    /// 10,000 connections that have had one answer and wait.
    Idle,
    /// Refreshes at three times what can be done, with the slowest access tokens: RS256.
    Overload,
    /// A bare axum app, for comparison.
    Hello,
    /// Count the instructions of one refresh with valgrind, which no neighbour disturbs.
    Instructions,
    /// Serve the bare axum app.
    #[value(hide = true)]
    Bare,
}

impl Workload {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Refresh => "refresh",
            Self::Exchange => "exchange",
            Self::ClientCredentials => "client-credentials",
            Self::Introspect => "introspect",
            Self::Revoke => "revoke",
            Self::AtOnce => "at-once",
            Self::Idle => "idle",
            Self::Overload => "overload",
            Self::Hello => "hello",
            Self::Instructions => "instructions",
            Self::Bare => "bare",
        }
    }
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StoreChoice {
    /// A database file.
    Sqlite,
    /// The PostgreSQL that --store-url names.
    Postgres,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FormatChoice {
    Opaque,
    Es256,
    Eddsa,
    Rs256,
}

impl FormatChoice {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Opaque => "opaque",
            Self::Es256 => "ES256",
            Self::Eddsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }

    pub(super) fn format(self) -> AccessTokenFormat {
        match self {
            Self::Opaque => AccessTokenFormat::Opaque,
            Self::Es256 => AccessTokenFormat::JwtEs256,
            Self::Eddsa => AccessTokenFormat::JwtEdDsa,
            Self::Rs256 => AccessTokenFormat::JwtRs256,
        }
    }
}
