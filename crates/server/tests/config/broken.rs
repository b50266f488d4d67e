//! Broken files, and what their authors are told.

use regrant_crypto::PASSWORD_BYTES_MAX;
use regrant_pages::LOGO_BYTES_MAX;
use regrant_server::config::{BRAND_NAME_CHARACTERS_MAX, CONFIG_BYTES_MAX, Config, Sources};

use crate::folder::{Folder, SECRET};

/// A section that is good, on three lines, so that most cases begin on line 4.
const SERVER: &str = "[server]\nissuer = \"https://id.example\"\nplain_http = false\n";
/// And one that it needs, on three more.
const TLS: &str = "[tls]\ncertificate = \"tls.crt\"\nkey = \"tls.key\"\n";

/// Loads `before` with each file behind it, and compares all that is told.
#[track_caller]
fn check(before: &str, cases: &[(&str, &str)]) {
    let folder = Folder::new();
    let mut wrong = String::new();
    for (text, expected) in cases {
        let told = folder.told(folder.load(&format!("{before}{text}")));
        if told != *expected {
            wrong.push_str(&format!("\n{text}-- is told as\n{told}\n-- and not as\n{expected}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Files that follow on [`SERVER`] and [`TLS`], from line 7, and every line that is told.
const AFTER_SERVER_AND_TLS: &[(&str, &str)] = &[
    ("[sesions]\nlifetime = 60\n", "regrant.toml:7: sesions: there is no such section; did you mean [sessions]?"),
    (
        "[users]\n",
        "regrant.toml:7: users: there is no such section; there are [server], [tls], [admin], [store], [defaults], [sessions], \
         [branding], [scopes], [limits], [log], [[client]], [[old_server]], [dialect], [dialect.paths], [bshaffer], [redcore], [wso2], [dotauth]",
    ),
    (
        "[sessions]\nlifetime = \"7 days\"\n",
        "regrant.toml:8: sessions.lifetime: it is \"7 days\", a text; write a whole number of seconds, without quotes",
    ),
    ("[sessions]\nlifetime = 0\n", "regrant.toml:8: sessions.lifetime: 0 is not between 60 and 34560000 seconds"),
    ("[sessions]\nidle = 60\n", "regrant.toml:8: sessions.idle: there is no such key; [limits] has one of that name"),
    ("[sessions]\nx = 60\n", "regrant.toml:8: sessions.x: there is no such key; [sessions] has lifetime"),
    (
        "[defaults]\nrotation = \"Rotate\"\naccess_lifetime = 1.5\nidle_lifetime = 99999999999999999999\ncode_retry = 0xff\n",
        "regrant.toml:8: defaults.rotation: \"Rotate\" is none of these: \"rotate\", \"reuse\", \"consume\", \"fork\"; did you mean \
         \"rotate\"?\n\
         regrant.toml:9: defaults.access_lifetime: it is 1.5, a number with a point; write a whole number of seconds, without \
         quotes\n\
         regrant.toml:10: defaults.idle_lifetime: 99999999999999999999 is not between 0 and 4294967295 seconds\n\
         regrant.toml:11: defaults.code_retry: 0xff is not between 0 and 10 seconds",
    ),
    (
        "[branding]\nname = \" \"\nlogo = \"\"\naccent = \"blue\"\n",
        "regrant.toml:8: branding.name: \" \" is not a text of 1 to 80 characters on one line\n\
         regrant.toml:9: branding.logo: it is empty; write a path\n\
         regrant.toml:10: branding.accent: \"blue\" is not a colour of six hexadecimal digits, such as \"#2455d6\"",
    ),
    (
        "[branding]\nname = \"two\\nlines\"\naccent = \"#1234567\"\n",
        "regrant.toml:8: branding.name: \"two\\nlines\" is not a text of 1 to 80 characters on one line\n\
         regrant.toml:9: branding.accent: \"#1234567\" is not a colour of six hexadecimal digits, such as \"#2455d6\"",
    ),
    (
        "[[client]]\nid = \"photos\"\npublic = true\ngrant_types = []\npolicy_uri = \"ftp://photos.example/\"\nwindow = 1\n",
        "regrant.toml:11: client \"photos\": policy_uri: \"ftp://photos.example/\" is not the URL of a web page, such as \
         https://photos.example/\n\
         regrant.toml:12: client \"photos\": window: there is no such key; `regrant config schema --markdown` lists those of [[client]]",
    ),
    (
        "[branding]\nlogo = \"logo.gif\"\n",
        "regrant.toml:8: branding.logo: \"logo.gif\" cannot be read: there is no such file",
    ),
    (
        "[[client]]\nurl = \"https://photos.example\"\nid = \"photos\"\npublic = true\ngrant_types = []\n",
        "regrant.toml:8: client \"photos\": url: there is no such key; [store] has one of that name",
    ),
    (
        "[scopes]\n\"photos read\" = \"x\"\nread = 5\nwrite = \"\"\n\"a\\\"b\" = \"x\"\n",
        "regrant.toml:8: scopes.\"photos read\": \"photos read\" is not one scope name\n\
         regrant.toml:9: scopes.read: it is 5, a number; write a text: read = \"…\"\n\
         regrant.toml:10: scopes.write: \"\" is not a text of 1 to 200 characters on one line\n\
         regrant.toml:11: scopes.\"a\\\"b\": \"a\\\"b\": scope contains a character that is not allowed in a scope name",
    ),
    (
        "[log]\nlevel = \"inof\"\nformat = \"text\"\n",
        "regrant.toml:8: log.level: \"inof\" is none of these: \"error\", \"warn\", \"info\", \"debug\", \"trace\", \"off\"; did you mean \
         \"info\"?\n\
         regrant.toml:9: log.format: \"text\" is none of these: \"auto\", \"json\", \"pretty\"",
    ),
    (
        "[store]\nkind = \"postgre\"\n",
        "regrant.toml:8: store.kind: \"postgre\" is none of these: \"sqlite\", \"postgres\"; did you mean \"postgres\"?",
    ),
    (
        "[store]\nkind = \"postgres\"\n",
        "regrant.toml:8: store.url: it is missing; kind needs it, for example url = \"postgres://regrant@db.example/regrant\"",
    ),
    (
        "[store]\nkind = \"sqlite\"\nurl = \"postgres://r@db/oauth\"\n",
        "regrant.toml:8: store.kind: url is that of a PostgreSQL; leave out one of the two",
    ),
    (
        "[store]\npassword_file = \"db.password\"\n",
        "regrant.toml:8: store.url: it is missing; password_file needs it, for example url = \
         \"postgres://regrant@db.example/regrant\"",
    ),
    (
        "[store]\nconnections = 8\n",
        "regrant.toml:8: store.url: it is missing; connections needs it, for example url = \
         \"postgres://regrant@db.example/regrant\"",
    ),
    (
        "[store]\nurl = \"mysql://r@db/oauth\"\nconnections = 65\n",
        "regrant.toml:8: store.url: the URL of the database does not begin with postgres://; write postgres://user@host/database\n\
         regrant.toml:9: store.connections: 65 is not between 1 and 64 connections",
    ),
    (
        "[store]\nurl = \"postgres://r:sesame-open-at-half-past-six@db/oauth\"\n",
        "regrant.toml:8: store.url: a password is in the URL of the database; put it into a file or the environment, and take it out of \
         the URL",
    ),
    (
        "[store]\nurl = \"postgres://r@db/oauth?sslmode=require\"\nroot_certificate = \"tls.crt\"\n",
        "regrant.toml:9: store.root_certificate: the certificate of the database is not checked: sslmode is another than verify-full, or \
         it is asked by a Unix socket; take out the authorities, or that",
    ),
    (
        "[store]\nurl = \"postgres://r@db/oauth\"\nroot_certificate = \"photos.secret\"\nhost = \"db\"\n",
        "regrant.toml:9: store.root_certificate: \"photos.secret\" has no certificate in PEM: no line is -----BEGIN CERTIFICATE-----\n\
         regrant.toml:10: store.host: there is no such key; regrant calls it url",
    ),
    (
        "[store]\nurl = \"postgres://r@db/oauth\"\njournal = \"journal\"\n",
        "regrant.toml:9: store.journal: a file is for one server, and any number may use the database of url; name a second database, \
         for example journal = \"postgres://regrant@db3.example/journal\"",
    ),
    (
        "[store]\njournal = \"postgres://r@db/oauth\"\n",
        "regrant.toml:8: store.journal: with SQLite the journal is a file; name one, or the url of the store",
    ),
    (
        "[store]\nurl = \"postgres://r@db/oauth\"\njournal = \"postgres://r@db:5432/oauth\"\n",
        "regrant.toml:9: store.journal: it is the database of url, and lost and put back with it; name another, best on another server",
    ),
    (
        "[store]\njournal = \"postgres://r:sesame-open-at-half-past-six@db/oauth\"\njournal_password_file = \"db.password\"\n",
        "regrant.toml:8: store.journal: a password is in the URL of the database; put it into a file or the environment, and take it out \
         of the URL",
    ),
    (
        "[store]\njournal = \"journal\"\njournal_password_file = \"db.password\"\n",
        "regrant.toml:9: store.journal: it is missing; journal_password_file needs a database in it, for example journal = \
         \"postgres://regrant@db3.example/journal\"",
    ),
    (
        "[admin]\nlisten = \"0.0.0.0:443\"\n",
        "regrant.toml:8: admin.listen: 0.0.0.0:443 is in server.listen too; choose another port",
    ),
    (
        "[[client]]\nclient_id = \"photos\"\nsecret_fil = \"photos.secret\"\ngrant_types = []\n",
        "regrant.toml:8: client 1: client_id: there is no such key; regrant calls it id\n\
         regrant.toml:9: client 1: secret_fil: there is no such key; did you mean secret_file?",
    ),
    (
        "[client]\nid = \"photos\"\npublic = true\ngrant_types = [\"refresh_token\"]\n",
        "regrant.toml:7: client: write [[client]], in two brackets: there may be several",
    ),
    (
        "[[client]]\nid = \"photos\"\ngrant_types = \"refresh_token\"\n",
        "regrant.toml:7: client \"photos\": secret_file: it is missing; name a file with the secret of the client, or say public = true \
         for an app that cannot keep one\n\
         regrant.toml:9: client \"photos\": grant_types: it is \"refresh_token\", a text; write a list: grant_types = \
         [\"refresh_token\"]",
    ),
    (
        "[[client]]\nid = \"photos\"\nsecret_file = \"photos.secret\"\nredirect_uris = [\n  \"https://photos.example/callback\",\n  \
         \"http://photos.example/callback\",\n  5,\n]\n",
        "regrant.toml:13: client \"photos\": redirect_uris: it is 5, a number; write each entry of the list in quotes",
    ),
    (
        "[[client]]\nid = \"photos\"\nsecret_file = \"photos.secret\"\nredirect_uris = [\n  \"https://photos.example/callback\",\n  \
         \"http://photos.example/callback\",\n]\nallowed_origins = [\"https://photos.example/\"]\nclient_uri = \"javascript:alert(1)\"\n",
        "regrant.toml:12: client \"photos\": redirect_uris: redirect URI \"http://photos.example/callback\" is http on another host than \
         127.0.0.1, [::1] or localhost; use https\n\
         regrant.toml:14: client \"photos\": allowed_origins: origin \"https://photos.example/\" has more than scheme, host and port; \
         leave out the path, the slash at the end, query, fragment and user name\n\
         regrant.toml:15: client \"photos\": client_uri: \"javascript:alert(1)\" is not the URL of a web page, such as \
         https://photos.example/",
    ),
    (
        "[[client]]\nid = \"photos\"\nsecret_file = \"photos.secret\"\nredirect_uris = [\n  \"https://photos.example/callback\",\n  \
         \"com.example.photos:/callback\",\n]\nscope = \"read\"\ndefault_scope = \"read write\"\ncode_retry = 5\nrequire_pkce = false\n\
         auth_methods = [\"none\"]\n",
        "regrant.toml:12: client \"photos\": redirect_uris: redirect URI \"com.example.photos:/callback\" belongs to an app on a device, \
         which cannot keep a secret (RFC 8252 section 8.5); register a public client\n\
         regrant.toml:15: client \"photos\": default_scope: the default scope is wider than the scope; name every default scope in \
         scope too\n\
         regrant.toml:16: client \"photos\": code_retry: code_retry_seconds needs require_pkce = true: only the verifier proves that a \
         code is retried by its owner\n\
         regrant.toml:18: client \"photos\": auth_methods: a client has either a secret and client_secret_basic or \
         client_secret_post, or no secret and none alone",
    ),
    (
        "[[client]]\nid = \"app\"\npublic = true\nrequire_pkce = false\nrotation = \"reuse\"\n\
         grant_types = [\"authorization_code\", \"client_credentials\"]\n",
        "regrant.toml:7: client \"app\": redirect_uris: a client with authorization_code needs a redirect URI, to which the user is \
         sent back\n\
         regrant.toml:10: client \"app\": require_pkce: a public client must use PKCE (RFC 9700 section 2.1.1); leave require_pkce = \
         true\n\
         regrant.toml:11: client \"app\": rotation: rotation reuse or fork needs a confidential client: the token of a public client \
         must be rotated (RFC 9700 section 4.14.2), or allow_unsafe_rotation = true in its entry\n\
         regrant.toml:12: client \"app\": grant_types: a public client may not have client_credentials (RFC 6749 section 4.4)",
    ),
    (
        "[defaults]\nallow_unsafe_rotation = true\nrefresh_token_scope = \"a  b\"\n[[client]]\nid = \"app\"\npublic = true\n\
         grant_types = []\nrotation = \"reuse\"\nallow_unsafe_rotation = true\nrefresh_token_scope = \"\"\n",
        "regrant.toml:8: defaults.allow_unsafe_rotation: there is no such key; [[client]] has one of that name\n\
         regrant.toml:9: defaults.refresh_token_scope: \"a  b\": scope has an empty entry; separate scope names by exactly one space",
    ),
    (
        "[defaults]\nrotation = \"fork\"\n[[client]]\nid = \"app\"\npublic = true\ngrant_types = [\"password\", \"refresh_token\"]\n",
        "regrant.toml:8: client \"app\": rotation: rotation reuse or fork needs a confidential client: the token of a public client \
         must be rotated (RFC 9700 section 4.14.2), or allow_unsafe_rotation = true in its entry",
    ),
    (
        "[[client]]\nid = \"app\"\npublic = true\ngrant_types = []\nsecret_file = \"photos.secret\"\n[[client]]\nid = \"app\"\n\
         public = true\ngrant_types = []\n[[client]]\nid = \"é\"\npublic = true\ngrant_types = []\n",
        "regrant.toml:11: client \"app\": secret_file: a client with public = true has no secret; leave out one of the two\n\
         regrant.toml:13: client \"app\": id: another client has this identifier, at regrant.toml:8\n\
         regrant.toml:17: client \"é\": id: \"é\" cannot be a client_id: it contains the character 'é', which is not allowed there",
    ),
    (
        "[[client]]\nid = \"photos\"\nsecret_file = \"nowhere.secret\"\ngrant_types = []\n",
        "regrant.toml:9: client \"photos\": secret_file: the file that it names cannot be read: there is no such file",
    ),
    (
        "[[client]]\nid = \"photos\"\nsecret_file = \"folder\"\ngrant_types = []\nscope = \"read  write\"\nresources = [\"api\"]\n",
        "regrant.toml:9: client \"photos\": secret_file: \"folder\" cannot be read: it is a directory\n\
         regrant.toml:11: client \"photos\": scope: \"read  write\": scope has an empty entry; separate scope names by exactly one \
         space\n\
         regrant.toml:12: client \"photos\": resources: \"api\": resource is not an absolute URI",
    ),
];

/// Files that follow on [`TLS`] and begin with it, from line 4: what is wrong with stand-ins.
const STAND_INS: &[(&str, &str)] = &[
    (
        "[server]\nissuer = \"https://id.example\"\nstand_in = \"bshafer\"\n[bshaffer]\nx = 1\n",
        "regrant.toml:6: server.stand_in: \"bshafer\" is none of these: \"standard\", \"bshaffer\", \"redcore\", \"wso2\", \"dotauth\", \
         \"jiko\"; did you mean \"bshaffer\"?",
    ),
    (
        "[server]\nissuer = \"https://id.example\"\n[wso2]\nRenewRefreshTokenForRefreshGrant = true\n",
        "regrant.toml:6: wso2: server.stand_in is \"standard\"; leave this section out, or say stand_in = \"wso2\"",
    ),
    (
        "[server]\nissuer = \"https://id.example\"\nstand_in = \"jiko\"\n[jiko]\naccess_lifetime = 900\n",
        "regrant.toml:7: jiko: there is no such section; the options of Jiko's server are not published: say what differs in \
         [defaults] and [dialect]",
    ),
    (
        "[server]\nissuer = \"https://id.example\"\nstand_in = \"wso2\"\n[wso2]\nRefreshTokenValidtyPeriod = 60\n\
         renew_refresh_tokens = true\nrefresh_token_validity = \"1w\"\nUserAccessTokenDefaultValidityPeriod = 0\n\
         maximum_validity_period = 86401\nRenewTokenPerRequest = 1\nTimestampSkew = true\n",
        "regrant.toml:8: wso2.RefreshTokenValidtyPeriod: there is no such key; did you mean RefreshTokenValidityPeriod?\n\
         regrant.toml:9: wso2.renew_refresh_tokens: there is no such key; did you mean renew_refresh_token?\n\
         regrant.toml:10: wso2.RefreshTokenValidityPeriod: it is \"1w\"; write a whole number of seconds, or one with s, m, h or d \
         behind it, such as \"1d\"\n\
         regrant.toml:11: wso2.UserAccessTokenDefaultValidityPeriod: with that every token is dead when it is issued; write how \
         many seconds it should live\n\
         regrant.toml:12: wso2.maximum_validity_period: 86401 is not between 0 and 86400 seconds\n\
         regrant.toml:13: wso2.RenewTokenPerRequest: it is 1, a number; write true or false, without quotes\n\
         regrant.toml:14: wso2.TimestampSkew: it is true; write a whole number of seconds, or one with s, m, h or d behind it, such \
         as \"1d\"",
    ),
    (
        "[server]\nissuer = \"https://id.example\"\nstand_in = \"redcore\"\n[redcore]\naccess_lifetime = 60\noauth2_access_lifetime = 70\n",
        "regrant.toml:8: redcore.oauth2_access_lifetime: oauth2_access_lifetime and access_lifetime are the same; keep one",
    ),
    (
        "[server]\nissuer = \"https://id.example\"\nstand_in = \"bshaffer\"\n[dialect]\nscope = \"nil\"\njson_body = \"yes\"\n\
         time_zone = \"Europe/Nowhere\"\njson_bodies = true\n",
        "regrant.toml:8: dialect.scope: scope cannot be \"nil\"; it can be string, null, absent\n\
         regrant.toml:9: dialect.json_body: json_body cannot be \"yes\"; it can be true, false\n\
         regrant.toml:10: dialect.time_zone: \"Europe/Nowhere\" is no time zone of the IANA list; write one such as \"Europe/Copenhagen\" or \
         \"America/New_York\"\n\
         regrant.toml:11: dialect.json_bodies: there is no such key; did you mean json_body?",
    ),
    (
        "[server]\nissuer = \"https://id.example\"\n[dialect]\npaths = \"/token\"\n",
        "regrant.toml:7: dialect.paths: write [dialect.paths] on a line of its own, and its keys below",
    ),
    (
        "[server]\nissuer = \"https://id.example\"\n[dialect.paths]\n\"token\" = \"wso2\"\n\"/t/{tenant}\" = \"wso2\"\n\"/a\" = \"wso3\"\n\
         \"/login\" = \"wso2\"\n\"/a/../token\" = \"wso2\"\n\"/.well-known/x\" = \"wso2\"\n",
        "regrant.toml:7: dialect.paths.token: it is no path: begin with a slash, and use letters, digits and -_./ only\n\
         regrant.toml:8: dialect.paths.\"/t/{tenant}\": it is no path: begin with a slash, and use letters, digits and -_./ only\n\
         regrant.toml:9: dialect.paths.\"/a\": \"wso3\" is none of these: \"standard\", \"bshaffer\", \"redcore\", \"wso2\", \
         \"dotauth\", \"jiko\"; did you mean \"wso2\"?\n\
         regrant.toml:10: dialect.paths.\"/login\": there is something else at that path; only token, revocation and introspection \
         endpoints have a dialect\n\
         regrant.toml:11: dialect.paths.\"/a/../token\": a part of it is empty, . or .., and no client sends it so; write a path such as \
         \"/oauth2/token\"\n\
         regrant.toml:12: dialect.paths.\"/.well-known/x\": there is something else at that path; only token, revocation and \
         introspection endpoints have a dialect",
    ),
    (
        "[server]\nissuer = \"https://id.example\"\nstand_in = \"wso2\"\n[wso2]\nRenewRefreshTokenForRefreshGrant = false\n\
         [[client]]\nid = \"app\"\npublic = true\nredirect_uris = [\"http://127.0.0.1/\"]\n",
        "regrant.toml:8: client \"app\": rotation: rotation reuse or fork needs a confidential client: the token of a public client must \
         be rotated (RFC 9700 section 4.14.2), or allow_unsafe_rotation = true in its entry: rotation comes from \
         wso2.RenewRefreshTokenForRefreshGrant here; give this client rotation = \"rotate\" of its own, or change the option",
    ),
];

/// Entries of old servers that follow on [`SERVER`] and [`TLS`], from line 7, and every line that is told.
const OLD_SERVERS: &[(&str, &str)] = &[
    (
        "[[old_server]]\n",
        "regrant.toml:7: old_server 1: client: it is missing; for example client = \"photos\"\n\
         regrant.toml:7: old_server 1: until: it is missing; for example until = \"2027-03-31\"\n\
         regrant.toml:7: old_server 1: token_endpoint: it is missing; for example token_endpoint = \
         \"https://old.example.com/token\"\n\
         regrant.toml:7: old_server 1: secret_file: it is missing; name a file with the secret of the client there, or say \
         auth_method = \"none\" for one that has none\n\
         regrant.toml:7: old_server 1: user_from: it is missing; for example user_from = \"id_token\"",
    ),
    (
        "[[old_server]]\nclient = \"photos\"\nuntil = \"soon\"\ntoken_endpoint = \"http://old.example/token\"\n\
         auth_method = \"none\"\nuser_from = \"id_token\"\n",
        "regrant.toml:9: old_server \"photos\": until: \"soon\" is not a day, such as \"2027-03-31\"\n\
         regrant.toml:10: old_server \"photos\": token_endpoint: \"http://old.example/token\" is asked without TLS, so that tokens and \
         secrets can be read on the way; write https:// (http:// is for this machine only: 127.0.0.1, [::1], localhost)",
    ),
    (
        "[[old_server]]\nclient = \"photos\"\nuntil = \"2027-02-30\"\ntoken_endpoint = \"https://me@old.example/token\"\n\
         secret = \"sesame-open-at-half-past-six\"\nsecret_file = \"photos.secret\"\nuser_from = \"id_tokens\"\n",
        "regrant.toml:9: old_server \"photos\": until: \"2027-02-30\" is not a day, such as \"2027-03-31\"\n\
         regrant.toml:10: old_server \"photos\": token_endpoint: \"https://me@old.example/token\" is not a URL, such as \
         \"https://old.example.com/token\"\n\
         regrant.toml:11: old_server \"photos\": secret: the client there has a secret_file too; leave out one of the two\n\
         regrant.toml:13: old_server \"photos\": user_from: \"id_tokens\" is none of these: \"id_token\", \"access_token\", \
         \"introspection\", \"userinfo\"; did you mean \"id_token\"?",
    ),
    (
        "[[old_server]]\nclient = \"photos\"\nuntil = 2027-03-31\ntoken_endpoint = \"ftp://old.example/token\"\n\
         secret_file = \"photos.secret\"\nauth_method = \"none\"\nuser_from = \"userinfo\"\nat_once = 0\n",
        "regrant.toml:10: old_server \"photos\": token_endpoint: \"ftp://old.example/token\" begins with neither https:// nor \
         http://\n\
         regrant.toml:11: old_server \"photos\": secret_file: a client with auth_method = \"none\" sends no secret; leave out one of \
         the two\n\
         regrant.toml:14: old_server \"photos\": at_once: 0 is not between 1 and 1000 tokens",
    ),
    (
        "[[old_server]]\nclient = \"photos\"\nuntil = 2027-03-31\ntoken_endpoint = \"https://old.example/token\"\n\
         secret_file = \"photos.secret\"\nuser_from = \"userinfo\"\n",
        "regrant.toml:12: old_server \"photos\": userinfo_endpoint: it is missing; user_from needs it",
    ),
    (
        "[[old_server]]\nclient = \"photos\"\nuntil = 2027-03-31\ntoken_endpoint = \"http://[::1]:8081/token\"\n\
         secret_file = \"photos.secret\"\nuser_from = \"introspection\"\nintrospection_endpoint = \"https://old.example/i\"\n\
         issuer = \"https://old.example\"\n",
        "regrant.toml:14: old_server \"photos\": issuer: only an ID token or an access token has it; leave it out, or choose another \
         user_from",
    ),
    (
        "[[old_server]]\nclient = \"a\"\nuntil = 2027-03-31\ntoken_endpoint = \"https://old.example/token\"\nauth_method = \"none\"\n\
         user_from = \"id_token\"\nunnamed = true\n\
         [[old_server]]\nclient = \"b\"\nuntil = 2027-03-31\ntoken_endpoint = \"https://old.example/token\"\nauth_method = \"none\"\n\
         user_from = \"id_token\"\nunnamed = true\n\
         [[old_server]]\nclient = \"a\"\nuntil = 2027-03-31\ntoken_endpoint = \"https://old.example/token\"\nauth_method = \"none\"\n\
         user_from = \"id_token\"\nca_file = \"tls.key\"\n",
        "regrant.toml:14: old_server \"b\": unnamed: old_server \"a\" says so too, at regrant.toml:7; keep one\n\
         regrant.toml:22: old_server \"a\": client: another old_server has this identifier, at regrant.toml:8\n\
         regrant.toml:27: old_server \"a\": ca_file: \"tls.key\" has no certificate in PEM: no line is -----BEGIN CERTIFICATE-----",
    ),
    (
        "[[client]]\nid = \"photos\"\nsecret_file = \"photos.secret\"\ngrant_types = [\"refresh_token\"]\n\
         [[old_server]]\nclient = \"photos\"\nuntil = 2027-03-31\ntoken_endpoint = \"https://old.example/token\"\nauth_method = \"none\"\n\
         user_from = \"id_token\"\nunnamed = true\n",
        "regrant.toml:17: old_server \"photos\": unnamed: the client has a secret, so that it has to name itself; leave this out",
    ),
];

#[test]
fn what_is_wrong_with_an_old_server_is_told() {
    check(&format!("{SERVER}{TLS}"), OLD_SERVERS);
}

#[test]
fn an_old_server_of_a_client_that_is_not_in_the_file_is_pointed_out() {
    let folder = Folder::new();
    let text = "[[client]]\nid = \"photos\"\npublic = true\ngrant_types = [\"refresh_token\"]\n[[old_server]]\nclient = \"potos\"\n\
                until = 2027-03-31\ntoken_endpoint = \"https://old.example/token\"\nauth_method = \"none\"\nuser_from = \"id_token\"\n";
    let config = folder.load(&format!("{SERVER}{TLS}{text}")).unwrap();
    let told: Vec<String> = config.warnings.iter().map(|warning| folder.short(&warning.to_string())).collect();
    assert_eq!(
        told,
        [
            "regrant.toml:12: old_server \"potos\": client: no [[client]] of this file has this id: it has to be registered in another \
          way; did you mean \"photos\"?"
        ]
    );
}

#[test]
fn what_is_wrong_with_a_stand_in_is_told() {
    check(TLS, STAND_INS);
}

#[test]
fn every_slip_is_told_with_its_line_and_what_to_write() {
    check(&format!("{SERVER}{TLS}"), AFTER_SERVER_AND_TLS);
}

/// Whole files, and every line that is told.
const WHOLE: &[(&str, &str)] = &[
    ("", "regrant.toml: server.issuer: it is missing; for example issuer = \"https://id.example.com\""),
    (
        "[server]\nlisten = []\n",
        "regrant.toml:1: server.issuer: it is missing; for example issuer = \"https://id.example.com\"\n\
         regrant.toml:2: server.listen: the list is empty; name an address to listen on",
    ),
    (
        "issuer = \"https://id.example\"\nlissten = []\nx = 1\n",
        "regrant.toml: server.issuer: it is missing; for example issuer = \"https://id.example.com\"\n\
         regrant.toml:1: issuer: there is no such key; [server] has one of that name\n\
         regrant.toml:2: lissten: there is no such key; did you mean listen in [server]?\n\
         regrant.toml:3: x: there is no such key; every key is in a section, such as [server]",
    ),
    (
        "[server]\nissuer = \"https://id.example/\"\nlisten = [\"0.0.0.0:443\", \"localhost:80\"]\ndata = \"tls.crt\"\n\
         trusted_proxies = [\"10.0.0.1/8\", \"proxy\"]\nplain_http = \"no\"\ncertificate = \"tls.crt\"\nbase_url = \"x\"\n",
        "regrant.toml:2: server.issuer: issuer \"https://id.example/\" ends with a slash; leave it out\n\
         regrant.toml:3: server.listen: \"localhost:80\" is not an IP address and a port, such as 127.0.0.1:8080, 0.0.0.0:443 or \
         [::]:443\n\
         regrant.toml:4: server.data: \"tls.crt\" is not a directory\n\
         regrant.toml:5: server.trusted_proxies: \"10.0.0.1/8\" names an address within a network; write 10.0.0.0/8 for the network, \
         or the address alone\n\
         regrant.toml:5: server.trusted_proxies: \"proxy\" is neither an address nor a network, such as 10.0.0.7 or 10.0.0.0/8\n\
         regrant.toml:6: server.plain_http: it is \"no\", a text; write true or false, without quotes\n\
         regrant.toml:7: server.certificate: there is no such key; [tls] has one of that name\n\
         regrant.toml:8: server.base_url: there is no such key; regrant calls it issuer",
    ),
    (
        "[server]\nissuer = \"https://id.example\"\nlisten = [\"0.0.0.0:443\"]\n",
        "regrant.toml:3: server.listen: to listen with TLS the server needs certificate and key in [tls]; behind a proxy that speaks \
         TLS, say plain_http = true",
    ),
    (
        "[server]\nissuer = \"https://id.example\"\n[tls]\ncertificate = \"tls.crt\"\n",
        "regrant.toml:4: tls.key: it is missing; certificate needs it",
    ),
    (
        "[server]\nissuer = \"https://id.example\"\n[tls]\ncert = \"tls.crt\"\nkey = \"tls.crt\"\n",
        "regrant.toml:4: tls.cert: there is no such key; regrant calls it certificate\n\
         regrant.toml:5: tls.key: \"tls.crt\" has no private key in PEM: no line is -----BEGIN PRIVATE KEY-----",
    ),
    (
        "[server]\nissuer = \"https://id.example\"\n[tls]\ncertificate = \"tls.key\"\nkey = \"missing/tls.key\"\n",
        "regrant.toml:4: tls.certificate: \"tls.key\" has no certificate in PEM: no line is -----BEGIN CERTIFICATE-----\n\
         regrant.toml:5: tls.key: \"missing/tls.key\" cannot be read: there is no such file",
    ),
    (
        "[server]\nissuer = \"https://id.example\"\nplain_http = true\n",
        "regrant.toml:3: server.plain_http: say in server.listen where the proxy finds the server, for example listen = \
         [\"127.0.0.1:8080\"]",
    ),
    (
        "[server]\nissuer = \"https://id.example\"\nplain_http = true\nlisten = [\"127.0.0.1:8080\", \"127.0.0.1:8080\"]\n[tls]\n\
         certificate = \"tls.crt\"\nkey = \"tls.key\"\n",
        "regrant.toml:4: server.listen: 127.0.0.1:8080 is said twice; keep one\n\
         regrant.toml:6: tls.certificate: with server.plain_http = true the server speaks no TLS; leave out one of the two",
    ),
    (
        "[server]\nissuer = \"http://id.example\"\n[tls]\ncertificate = \"tls.crt\"\nkey = \"tls.key\"\n",
        "regrant.toml:2: server.issuer: the issuer begins with http://, and the server listens with TLS; write https://",
    ),
    (
        "tls = 5\n[[server]]\nissuer = \"https://id.example\"\n",
        "regrant.toml:1: tls: write [tls] on a line of its own, and its keys below\n\
         regrant.toml:2: server: write [server], in single brackets: there is one",
    ),
];

#[test]
fn what_is_missing_or_contradicts_itself_is_told_where_it_is_said() {
    check("", WHOLE);
}

/// Files that are not TOML: nothing that only follows from that is told.
const NOT_TOML: &[(&str, &str)] = &[
    (
        "[server]\nissuer = https://id.example\nlisten = [\"0.0.0.0:443\"\nplain_http = true\n[tls]\nkey = \"x\"\n",
        "regrant.toml:2: server.issuer: a text has to be in quotes: \"…\"\n\
         regrant.toml:3: server.listen: the list that begins here is not closed; end it with ]",
    ),
    (
        "[server]\nissuer = \"https://id.example\"\nissuer = \"https://id.example\"\ndata = \"C:\\data\"\nisuer = 1\n",
        "regrant.toml:3: server.issuer: it is said twice; keep one\n\
         regrant.toml:4: server.data: a backslash begins an escape inside \"…\"; write \\\\ for a backslash, or '…' around the text\n\
         regrant.toml:5: server.isuer: there is no such key; did you mean issuer?",
    ),
    (
        "[server]\nissuer = \"https://id.example\n[tls\ncertificate = \"x\"\n[log]\nlevel = 'info\nformat\n",
        "regrant.toml:2: server.issuer: the text is not closed; end it with \"\n\
         regrant.toml:3: the name of the section is not closed; end it with ]\n\
         regrant.toml:6: log.level: the text is not closed; end it with '\n\
         regrant.toml:7: a key needs a value: KEY = VALUE",
    ),
    (
        "[server]\nissuer = \"https://id.example\"\n[[client]]\nid = \"photos\"\nsecret = sesame-open\n",
        "regrant.toml:5: client \"photos\": secret: a text has to be in quotes: \"…\"",
    ),
    (
        "[log]\nlevel = \"info\"\n[server]\nissuer = \"https://id.example\"\ndata = \"x\"\ndata = \"y\"\n",
        "regrant.toml:6: server.data: it is said twice; keep one",
    ),
    (
        "[server]\nissuer = \"https://id.example\"\n[tls\ncertificate = \"x\"\n[[client]]\nid = \"photos\"\n",
        "regrant.toml:3: the name of the section is not closed; end it with ]",
    ),
    ("[server]\nissuer = \"https://id.example\"\n[server]\n", "regrant.toml:3: server: it is said twice; keep one"),
    (
        "[server]\nissuer = 2020-13-01\n",
        "regrant.toml:2: server.issuer: not TOML: invalid date, expected month between 01 and 12",
    ),
];

#[test]
fn what_is_not_toml_is_told_in_plain_words() {
    check("", NOT_TOML);
}

#[test]
fn a_text_that_is_too_long_is_refused() {
    let folder = Folder::new();
    let load = |length: usize| folder.load(&format!("{SERVER}{TLS}[branding]\nname = \"{}\"\n", "ö".repeat(length)));
    assert!(load(BRAND_NAME_CHARACTERS_MAX).is_ok());
    assert!(
        folder.told(load(BRAND_NAME_CHARACTERS_MAX + 1)).ends_with("is not a text of 1 to 80 characters on one line")
    );
}

#[test]
fn a_file_that_is_not_text_or_not_there_is_told_by_its_name() {
    let folder = Folder::new();
    let path = folder.path().join("latin1.toml");
    std::fs::write(&path, b"[server]\nissuer = \"https://id.example\"\n# caf\xe9\n").unwrap();
    let load = |name: &str| {
        let file = Some(folder.path().join(name));
        Config::load(&Sources { file, ..Sources::default() })
    };
    assert_eq!(folder.told(load("latin1.toml")), "latin1.toml:3: this line is not UTF-8; save the file as UTF-8");
    assert_eq!(folder.told(load("missing.toml")), "missing.toml: the file cannot be read: there is no such file");
}

#[test]
fn a_named_file_with_the_wrong_things_in_it_is_refused() {
    let folder = Folder::new();
    folder.write("encrypted.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n");
    folder.write("large.svg", &" ".repeat(LOGO_BYTES_MAX + 1));
    folder.write("empty.secret", "\n");
    folder.write("long.secret", &"x".repeat(PASSWORD_BYTES_MAX + 1));
    folder.write("longer.secret", &"x".repeat(PASSWORD_BYTES_MAX + 3));
    std::fs::write(folder.path().join("binary.secret"), b"\xff").unwrap();
    let clients: String = ["empty", "long", "longer", "binary"]
        .iter()
        .map(|name| format!("[[client]]\nid = \"{name}\"\nsecret_file = \"{name}.secret\"\ngrant_types = []\n"))
        .collect();
    let tls = TLS.replace("tls.key", "encrypted.key");
    let told = folder.told(folder.load(&format!("{SERVER}{tls}[branding]\nlogo = \"large.svg\"\n{clients}")));
    assert_eq!(
        told,
        "regrant.toml:6: tls.key: \"encrypted.key\" is encrypted, and nobody is there to type its password; decrypt it with: openssl \
         pkey -in encrypted.key\n\
         regrant.toml:8: branding.logo: \"large.svg\" cannot be read: it is larger than 262144 bytes\n\
         regrant.toml:11: client \"empty\": secret_file: \"empty.secret\" holds no secret of 1 to 1024 bytes\n\
         regrant.toml:15: client \"long\": secret_file: \"long.secret\" holds no secret of 1 to 1024 bytes\n\
         regrant.toml:19: client \"longer\": secret_file: \"longer.secret\" cannot be read: it is larger than 1026 bytes\n\
         regrant.toml:23: client \"binary\": secret_file: \"binary.secret\" is not UTF-8"
    );
    assert_eq!(
        folder.told(folder.load(&"#".repeat(CONFIG_BYTES_MAX as usize + 1))),
        "regrant.toml: the file cannot be read: it is larger than 4194304 bytes"
    );
}

#[test]
fn no_message_holds_a_secret() {
    let folder = Folder::new();
    for client in [
        format!("secret = {SECRET}\n"),
        format!("secret = \"{SECRET}\n"),
        format!("secret = \"{SECRET}\\q\"\n"),
        format!("secret = [\"{SECRET}\"]\n"),
        format!("secret = \"{SECRET}\"\nsecret = \"{SECRET}\"\n"),
        format!("secret = \"{SECRET}\"\nsecret_file = \"photos.secret\"\n"),
        format!("secret = \"{SECRET}\"\npublic = true\n"),
        format!("secret = \"{}\"\n", SECRET.repeat(100)),
        format!("client_secret = \"{SECRET}\"\n"),
        format!("secret_file = \"{SECRET}\"\n"),
        format!("secret_file = \"{}\"\n", SECRET.repeat(100)),
    ] {
        let loaded = folder.load(&format!("{SERVER}{TLS}[[client]]\nid = \"photos\"\n{client}"));
        let error = loaded.unwrap_err();
        assert!(!format!("{error}{error:?}").contains(SECRET), "{client}: {error}");
        assert!(error.to_string().contains("client"), "{client}: {error}");
    }
}

#[test]
fn a_certificate_and_the_key_of_another_are_refused_and_so_is_a_picture_of_another_kind() {
    let (folder, other) = (Folder::new(), Folder::new());
    std::fs::copy(other.path().join("tls.key"), folder.path().join("other.key")).unwrap();
    folder.write("logo.gif", "GIF89a");
    let tls = TLS.replace("tls.key", "other.key");
    let told = folder.told(folder.load(&format!("{SERVER}{tls}[branding]\nlogo = \"logo.gif\"\n")));
    let [pair, logo] = told.lines().collect::<Vec<_>>()[..] else { panic!("{told}") };
    assert!(
        pair.starts_with("regrant.toml:5: tls.certificate: certificate and private key cannot be used together"),
        "{pair}"
    );
    assert_eq!(logo, "regrant.toml:8: branding.logo: \"logo.gif\": the logo is neither a PNG nor an SVG picture");
}
