use std::path::{Path, PathBuf};

use http::Uri;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use regrant_crypto::PASSWORD_BYTES_MAX;
use regrant_engine::{UnknownUsers, UserSource};
use regrant_protocol::{ClientId, Secret, Timestamp, TokenEndpointAuthMethod};

use crate::config::client::ConfiguredClient;
use crate::config::key::{Form, Key, Kind, words};
use crate::config::nearest::nearest;
use crate::config::one_line::one_line;
use crate::config::origin::Origin;
use crate::config::problem::{Fault, Problem};
use crate::config::secret_or_file::SecretOrFile;
use crate::config::section::{Section, Shape};
use crate::config::table_reader::{Reported, TableReader};
use crate::config::tls::certificate_file;
use crate::config::value::Preset;

pub(super) const SECTION: Section = Section {
    name: "old_server",
    shape: Shape::List,
    doc: "The server that a client had before, where its database cannot be read: a refresh token that nobody knows here is presented there once, \
          and its user goes on here.",
    keys: &[
        CLIENT,
        UNTIL,
        TOKEN_ENDPOINT,
        CLIENT_ID,
        SECRET_FILE,
        SECRET,
        AUTH_METHOD,
        USER_FROM,
        USER_CLAIM,
        INTROSPECTION_ENDPOINT,
        USERINFO_ENDPOINT,
        REVOCATION_ENDPOINT,
        ISSUER,
        AUDIENCE,
        UNKNOWN_USERS,
        UNNAMED,
        CA_FILE,
        AT_ONCE,
        PER_SECOND,
    ],
};

pub(super) const CLIENT: Key = Key::new(
    "client",
    Kind::Text(Form::Plain),
    Preset::Required("\"photos\""),
    "The `client_id` that the client has here.",
);

const UNTIL: Key = Key::new(
    "until",
    Kind::Text(Form::Date),
    Preset::Required("\"2027-03-31\""),
    "The day, in UTC, from which on the old server is not asked any more.",
)
.also(&["end_date", "ends", "expires"]);

const TOKEN_ENDPOINT: Key = Key::new(
    "token_endpoint",
    Kind::Text(Form::Url),
    Preset::Required("\"https://old.example.com/token\""),
    "Where the old server takes refresh tokens: `https`, or `http` on this machine.",
)
.also(&["token_url", "url"]);

const CLIENT_ID: Key = Key::new(
    "client_id",
    Kind::Text(Form::Plain),
    Preset::Absent,
    "What the client is called there. Without it, as here.",
);

const SECRET_FILE: Key = Key::new(
    "secret_file",
    Kind::Text(Form::Path),
    Preset::Absent,
    "A file with the secret of the client there and nothing else; a line end behind it does not count.",
);

const SECRET: Key = Key::new(
    "secret",
    Kind::Secret,
    Preset::Absent,
    "The secret itself. Better name a file in `secret_file`, or set the environment variable.",
)
.also(&["client_secret"]);

const AUTH_METHOD: Key = Key::new(
    "auth_method",
    Kind::Choice(&AUTH_METHOD_WORDS),
    Preset::Text("client_secret_basic"),
    "How the client authenticates there; `none` for one without a secret.",
)
.also(&["token_endpoint_auth_method", "auth_methods"]);

const USER_FROM: Key = Key::new(
    "user_from",
    Kind::Choice(&USER_SOURCE_WORDS),
    Preset::Required("\"id_token\""),
    "What says who the user is: the ID token of the answer, its access token where that is a JWT, or one of the endpoints below.",
);

const USER_CLAIM: Key = Key::new(
    "user_claim",
    Kind::Text(Form::Plain),
    Preset::Text("sub"),
    "The member of that which names the user, a text or a whole number: it becomes the `sub` here.",
);

const INTROSPECTION_ENDPOINT: Key = Key::new(
    "introspection_endpoint",
    Kind::Text(Form::Url),
    Preset::Absent,
    "Where the old server is asked about its access token (RFC 7662), for `user_from = \"introspection\"`.",
);

const USERINFO_ENDPOINT: Key = Key::new(
    "userinfo_endpoint",
    Kind::Text(Form::Url),
    Preset::Absent,
    "Where it says who the user of its access token is, for `user_from = \"userinfo\"`.",
);

const REVOCATION_ENDPOINT: Key = Key::new(
    "revocation_endpoint",
    Kind::Text(Form::Url),
    Preset::Absent,
    "Where the token that it still knows is revoked (RFC 7009) once the user goes on here. Without it, nothing is revoked there.",
);

const ISSUER: Key = Key::new(
    "issuer",
    Kind::Text(Form::Plain),
    Preset::Absent,
    "What `iss` of the ID token or access token has to be. Without it, anything.",
);

const AUDIENCE: Key = Key::new(
    "audience",
    Kind::Text(Form::Plain),
    Preset::Absent,
    "What `aud` of the ID token or access token has to name. Without it, anything.",
);

const UNKNOWN_USERS: Key = Key::new(
    "unknown_users",
    Kind::Choice(&UNKNOWN_USERS_WORDS),
    Preset::Text("create"),
    "What becomes of a user who is not known here: they are made, without a password, or their token is refused.",
);

const UNNAMED: Key = Key::new(
    "unnamed",
    Kind::Switch,
    Preset::Switch(false),
    "Whether an unknown refresh token that comes without a `client_id` is of this client, which is public then; one client at most. \
     The `dialect` says whether such requests are read at all.",
);

const CA_FILE: Key = Key::new(
    "ca_file",
    Kind::Text(Form::Path),
    Preset::Absent,
    "A PEM file with the certificates that alone lead to the old server. Without it, those of the system do.",
)
.also(&["ca", "ca_certificate"]);

const AT_ONCE: Key = Key::new(
    "at_once",
    Kind::Number { min: 1, max: 1_000, unit: "tokens" },
    Preset::Number(16),
    "How many tokens are presented there at the same time at most. Who comes then is answered 503, and comes again.",
);

const PER_SECOND: Key = Key::new(
    "per_second",
    Kind::Number { min: 1, max: 1_000, unit: "tokens" },
    Preset::Number(50),
    "How many tokens are presented there in a second at most.",
);

const AUTH_METHOD_PAIRS: [(&str, TokenEndpointAuthMethod); 3] = {
    let [basic, post, none] = TokenEndpointAuthMethod::ALL;
    [(basic.as_str(), basic), (post.as_str(), post), (none.as_str(), none)]
};
const AUTH_METHOD_WORDS: [&str; 3] = words(&AUTH_METHOD_PAIRS);

const USER_SOURCES: [(&str, UserSource); 4] = [
    ("id_token", UserSource::IdToken),
    ("access_token", UserSource::AccessToken),
    ("introspection", UserSource::Introspection),
    ("userinfo", UserSource::UserInfo),
];
const USER_SOURCE_WORDS: [&str; 4] = words(&USER_SOURCES);

const UNKNOWN_USERS_PAIRS: [(&str, UnknownUsers); 2] =
    [("create", UnknownUsers::Create), ("refuse", UnknownUsers::Refuse)];
const UNKNOWN_USERS_WORDS: [&str; 2] = words(&UNKNOWN_USERS_PAIRS);

/// The longest text that is compared with a claim, or names one, in characters.
const CLAIM_CHARACTERS_MAX: usize = 255;

/// The server that a client had before.
#[derive(Clone, Debug)]
pub struct ConfiguredOldServer {
    /// The client, as it is called here.
    pub client: ClientId,
    /// From this moment on it is not asked any more.
    pub until: Timestamp,
    /// Where it takes refresh tokens.
    pub token_endpoint: Uri,
    /// Where it tells about access tokens; there where `user_from` needs it.
    pub introspection_endpoint: Option<Uri>,
    /// Where it tells about users; there where `user_from` needs it.
    pub userinfo_endpoint: Option<Uri>,
    /// Where it ends refresh tokens.
    pub revocation_endpoint: Option<Uri>,
    /// What the client is called there.
    pub client_id: String,
    /// Its secret there; there unless `auth_method` is `none`.
    pub secret: Option<Secret>,
    /// How it authenticates there.
    pub auth_method: TokenEndpointAuthMethod,
    /// What says who the user is.
    pub user_from: UserSource,
    /// The member of that which names the user.
    pub user_claim: String,
    /// What `iss` has to be.
    pub issuer: Option<String>,
    /// What `aud` has to name.
    pub audience: Option<String>,
    /// What becomes of a user who is not known here.
    pub unknown_users: UnknownUsers,
    /// Whether a token that comes without a client is of this one.
    pub unnamed: bool,
    /// The certificates that alone lead there.
    pub ca_file: Option<PathBuf>,
    /// How many tokens are presented at the same time at most.
    pub at_once: u32,
    /// How many tokens are presented in a second at most.
    pub per_second: u32,
    /// Where it begins.
    pub origin: Origin,
}

impl ConfiguredOldServer {
    pub(super) fn read(table: &mut TableReader<'_>, clients: &[ConfiguredClient]) -> Result<Self, Reported> {
        let client = table.required(&CLIENT, |text| {
            ClientId::parse(text).map_err(|error| Fault::Value(format!("{text:?} cannot be a client_id: {error}")))
        });
        if let Ok(client) = &client {
            table.identify(client.as_str());
        }
        let until = table.required(&UNTIL, day);
        let token_endpoint = table.required(&TOKEN_ENDPOINT, endpoint);
        let client_id = table.optional(&CLIENT_ID, |text| one_line(text, CLAIM_CHARACTERS_MAX));
        let auth_method = table.choice(&AUTH_METHOD, &AUTH_METHOD_PAIRS);
        let secret = read_secret(table, auth_method.as_ref().ok().copied());
        let user_from = table.choice(&USER_FROM, &USER_SOURCES);
        let user_claim = table.required(&USER_CLAIM, |text| one_line(text, CLAIM_CHARACTERS_MAX));
        let introspection_endpoint = table.optional(&INTROSPECTION_ENDPOINT, endpoint);
        let userinfo_endpoint = table.optional(&USERINFO_ENDPOINT, endpoint);
        let revocation_endpoint = table.optional(&REVOCATION_ENDPOINT, endpoint);
        let issuer = table.optional(&ISSUER, |text| one_line(text, CLAIM_CHARACTERS_MAX));
        let audience = table.optional(&AUDIENCE, |text| one_line(text, CLAIM_CHARACTERS_MAX));
        let unknown_users = table.choice(&UNKNOWN_USERS, &UNKNOWN_USERS_PAIRS);
        let unnamed = table.switch(&UNNAMED);
        let ca_file = table.path(&CA_FILE, |path: &Path| certificate_file(path));
        let (at_once, per_second) = (table.number(&AT_ONCE), table.number(&PER_SECOND));

        let client = client?;
        let read = Self {
            until: until?,
            token_endpoint: token_endpoint?,
            introspection_endpoint: introspection_endpoint?,
            userinfo_endpoint: userinfo_endpoint?,
            revocation_endpoint: revocation_endpoint?,
            client_id: client_id?.unwrap_or_else(|| client.as_str().to_owned()),
            client,
            secret: secret?,
            auth_method: auth_method?,
            user_from: user_from?,
            user_claim: user_claim?,
            issuer: issuer?,
            audience: audience?,
            unknown_users: unknown_users?,
            unnamed: unnamed?,
            ca_file: ca_file?.map(|(path, ())| path),
            at_once: at_once?,
            per_second: per_second?,
            origin: table.begins().clone(),
        };
        read.check_source(table)?;
        read.check_client(table, clients)?;
        Ok(read)
    }

    /// Whether what says who the user is can be asked, and what it has to say can be looked at.
    fn check_source(&self, table: &mut TableReader<'_>) -> Result<(), Reported> {
        let needed = match self.user_from {
            UserSource::Introspection if self.introspection_endpoint.is_none() => Some(&INTROSPECTION_ENDPOINT),
            UserSource::UserInfo if self.userinfo_endpoint.is_none() => Some(&USERINFO_ENDPOINT),
            UserSource::IdToken | UserSource::AccessToken | UserSource::Introspection | UserSource::UserInfo => None,
        };
        if let Some(key) = needed {
            let fault = Fault::Missing("user_from needs it".to_owned());
            return Err(table.refuse(table.origin(USER_FROM.name), key.name, fault));
        }
        let is_jwt = matches!(self.user_from, UserSource::IdToken | UserSource::AccessToken);
        for (key, said) in [(&ISSUER, &self.issuer), (&AUDIENCE, &self.audience)] {
            if said.is_some() && !is_jwt {
                let told = "only an ID token or an access token has it; leave it out, or choose another user_from";
                let fault = Fault::Contradiction(told.to_owned());
                return Err(table.refuse(table.origin(key.name), key.name, fault));
            }
        }
        Ok(())
    }

    /// A client may be registered in other ways than by the file, so that one that is not in it is only pointed out.
    fn check_client(&self, table: &mut TableReader<'_>, clients: &[ConfiguredClient]) -> Result<(), Reported> {
        let Some(client) = clients.iter().find(|client| client.id == self.client) else {
            let near = nearest(self.client.as_str(), clients.iter().map(|client| client.id.as_str()));
            let hint = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
            let told = format!("no [[client]] of this file has this id: it has to be registered in another way{hint}");
            table.warn(&CLIENT, Fault::Value(told));
            return Ok(());
        };
        if self.unnamed && !client.settings.auth_methods.contains(&TokenEndpointAuthMethod::None) {
            let told = "the client has a secret, so that it has to name itself; leave this out";
            let fault = Fault::Contradiction(told.to_owned());
            return Err(table.refuse(table.origin(UNNAMED.name), UNNAMED.name, fault));
        }
        Ok(())
    }
}

/// That two old servers are for tokens whose sender names no client.
pub(super) fn unnamed_twice(first: &ConfiguredOldServer, second: &ConfiguredOldServer) -> Problem {
    let told = format!("old_server {:?} says so too, at {}; keep one", first.client.as_str(), first.origin);
    let key = format!("old_server {:?}: {}", second.client.as_str(), UNNAMED.name);
    Problem { origin: second.origin.clone(), key, fault: Fault::Contradiction(told) }
}

fn read_secret(
    table: &mut TableReader<'_>,
    method: Option<TokenEndpointAuthMethod>,
) -> Result<Option<Secret>, Reported> {
    let keys = SecretOrFile {
        secret: &SECRET,
        file: &SECRET_FILE,
        owner: "the client there",
        power: "act as the client at its old server",
        shape: format!("secret of 1 to {PASSWORD_BYTES_MAX} bytes"),
        bytes_max: PASSWORD_BYTES_MAX,
        is_usable: |text| !text.is_empty(),
        is_for_its_owner: false,
    };
    let found = keys.read(table)?;
    match (found, method) {
        (None, Some(TokenEndpointAuthMethod::None)) => Ok(None),
        (Some((key, _)), Some(TokenEndpointAuthMethod::None)) => {
            let told = "a client with auth_method = \"none\" sends no secret; leave out one of the two";
            Err(table.refuse(table.origin(key.name), key.name, Fault::Contradiction(told.to_owned())))
        }
        (None, Some(_)) => {
            let told =
                "name a file with the secret of the client there, or say auth_method = \"none\" for one that has none";
            Err(table.refuse(table.origin(SECRET_FILE.name), SECRET_FILE.name, Fault::Missing(told.to_owned())))
        }
        (Some((_, secret)), Some(_)) => Ok(Some(secret)),
        // That is told already.
        (_, None) => Err(Reported),
    }
}

/// The beginning of a day, in UTC.
fn day(text: &str) -> Result<Timestamp, Fault> {
    let date: Option<Date> = text.parse().ok().filter(|_| text.len() == "2027-03-31".len());
    let begins = date.and_then(|date| date.to_zoned(TimeZone::UTC).ok());
    let begins = begins.map(|begins| Timestamp::from_seconds(begins.timestamp().as_second()));
    begins.ok_or_else(|| Fault::Value(format!("{text:?} is not a day, such as \"2027-03-31\"")))
}

/// An address that no secret is sent to in the clear, but on this machine.
fn endpoint(text: &str) -> Result<Uri, Fault> {
    let uri: Option<Uri> = text.parse().ok().filter(|_| !text.contains('#'));
    let Some(uri) = uri.filter(|uri| uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))) else {
        return Err(Fault::Value(format!("{text:?} is not a URL, such as \"https://old.example.com/token\"")));
    };
    match uri.scheme_str() {
        Some("https") => Ok(uri),
        Some("http") if is_this_machine(&uri) => Ok(uri),
        Some("http") => Err(Fault::Value(format!(
            "{text:?} is asked without TLS, so that tokens and secrets can be read on the way; write https:// (http:// is for this machine \
             only: 127.0.0.1, [::1], localhost)"
        ))),
        Some(_) | None => Err(Fault::Value(format!("{text:?} begins with neither https:// nor http://"))),
    }
}

/// Whether an address is on this machine, so that no network is between.
pub(crate) fn is_this_machine(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}
