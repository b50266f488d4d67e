//! One file that says everything.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use regrant_admin::AdminToken;
use regrant_engine::{UnknownUsers, UserSource};
use regrant_grant::{OldAccessTokens, OnReuse, RotationMode, ScopeNarrowing};
use regrant_import::settings::System;
use regrant_protocol::{GrantType, Lifetime, Scope, TokenEndpointAuthMethod};
use regrant_server::config::{Config, LogFormat, SECTIONS, Section, StoreConfig, print};
use regrant_store::{AccessTokenFormat, ConsentMode, IdTokenAlgorithm, OutlivesSession};

use crate::folder::{ADMIN_TOKEN, Folder, SECRET};

/// Every key, and nothing that is its default where it can be something else.
const EVERYTHING: &str = include_str!("everything.toml");

fn load() -> (Folder, Config) {
    let folder = Folder::new();
    let config = folder.load(EVERYTHING).unwrap();
    (folder, config)
}

#[test]
fn the_file_has_every_key_there_is() {
    let (_folder, config) = load();
    // The dialects and the options of other systems have tests of their own.
    let is_here = |section: &&&Section| System::named(section.name).is_none() && !section.name.starts_with("dialect");
    for section in SECTIONS.iter().filter(is_here) {
        let mut tables = config.tables().iter().filter(|table| table.section.name == section.name);
        let settings = &tables.next().unwrap().settings;
        for key in section
            .keys
            .iter()
            .filter(|key| !["public", "secret", "token", "password", "journal_password"].contains(&key.name))
        {
            let setting = settings.iter().find(|setting| setting.name == key.name);
            let origin = setting.map(|setting| setting.origin.to_string()).unwrap_or_default();
            assert!(origin.contains("regrant.toml:"), "{} {}: {origin:?}", section.name, key.name);
        }
    }
}

#[test]
fn every_section_is_read_into_its_type() {
    let (folder, config) = load();
    assert_eq!(config.server.issuer.as_str(), "https://id.example");
    assert_eq!(config.server.listen, ["127.0.0.1:8443".parse::<SocketAddr>().unwrap()]);
    assert_eq!(config.server.data, folder.path().join("data"));
    assert!(config.server.trusted_proxies[0].contains("10.1.2.3".parse::<IpAddr>().unwrap()));
    assert!(!config.server.plain_http);
    assert_eq!(config.server.stand_in, Some(System::Jiko));
    let tls = config.tls.as_ref().unwrap();
    assert_eq!((&tls.certificate, &tls.key), (&folder.path().join("tls.crt"), &folder.path().join("tls.key")));
    assert_eq!(config.admin.listen, Some("127.0.0.1:9090".parse().unwrap()));
    assert_eq!(config.admin.token, AdminToken::parse(ADMIN_TOKEN).ok());
    let StoreConfig::Postgres(store) = &config.store else { panic!("{:?}", config.store) };
    assert_eq!(store.address.to_string(), "postgres://regrant@db1.example:5432,db2.example:5433/oauth");
    assert!(format!("{:?}", store.address).contains("tls.crt"));
    assert_eq!(store.step_connections.get(), 7);
    assert_eq!(config.outside.mark, Some(folder.path().join("high-water.mark")));
    let journal = store.journal.as_ref().unwrap();
    assert_eq!(
        (journal.to_string().as_str(), &config.outside.journal),
        ("postgres://scribe@db3.example:5432/journal", &None)
    );
    assert_eq!(config.sessions.lifetime_seconds, 3600);
    assert_eq!(config.branding.name, "Example ID");
    assert_eq!(config.branding.logo.as_ref().unwrap().picture, regrant_pages::Logo::new(b"<svg/>".to_vec()).unwrap());
    assert_eq!(config.branding.accent.to_string(), "#102030");
    assert_eq!(config.branding.accent_dark.to_string(), "#a0b0c0");
    assert_eq!(config.scopes["photos.read"], "See your photos");
    assert_eq!(config.limits.connections_max, 100);
    assert_eq!(config.limits.request_read, Duration::from_secs(5));
    assert_eq!(config.limits.response_write, Duration::from_secs(6));
    assert_eq!(config.limits.idle, Duration::from_secs(7));
    assert_eq!(config.limits.drain, Duration::from_secs(8));
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.log.level.as_str(), "warn,regrant_engine=debug");
    assert_eq!(config.log.audit, Some(folder.path().join("audit.log")));
}

#[test]
fn an_old_server_is_read_into_its_type() {
    let (folder, config) = load();
    let [old] = config.old_servers() else { panic!("one old server") };
    assert_eq!((old.client.as_str(), old.client_id.as_str()), ("photos", "pictures"));
    assert_eq!(old.until.to_rfc3339(), "2999-12-31T00:00:00Z");
    assert_eq!(old.token_endpoint.to_string(), "https://old.example/token?api=oauth2");
    assert_eq!(old.introspection_endpoint.as_ref().unwrap().path(), "/introspect");
    assert_eq!(old.userinfo_endpoint.as_ref().unwrap().path(), "/userinfo");
    assert_eq!(old.revocation_endpoint.as_ref().unwrap().port_u16(), Some(8081));
    assert_eq!(old.secret.as_ref().unwrap().expose(), SECRET);
    assert_eq!(old.auth_method, TokenEndpointAuthMethod::ClientSecretPost);
    assert_eq!((old.user_from, old.user_claim.as_str()), (UserSource::AccessToken, "username"));
    assert_eq!((old.issuer.as_deref(), old.audience.as_deref()), (Some("https://old.example"), Some("photos-api")));
    assert_eq!((old.unknown_users, old.unnamed), (UnknownUsers::Refuse, false));
    assert_eq!(old.ca_file, Some(folder.path().join("tls.crt")));
    assert_eq!((old.at_once, old.per_second), (7, 8));
}

#[test]
fn a_client_has_the_defaults_and_what_it_says_itself() {
    let (_folder, config) = load();
    let [photos, app] = config.clients() else { panic!("two clients") };
    let settings = &photos.settings;
    assert_eq!(photos.id.as_str(), "photos");
    assert_eq!(settings.name.as_deref(), Some("Photos"));
    assert_eq!(settings.auth_methods, [TokenEndpointAuthMethod::ClientSecretPost]);
    assert_eq!(settings.grant_types, [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::Password]);
    assert_eq!(settings.redirect_uris[0].as_str(), "https://photos.example/callback");
    assert_eq!(settings.post_logout_redirect_uris[0].as_str(), "https://photos.example/bye");
    assert_eq!(settings.allowed_origins[0].as_str(), "https://photos.example");
    assert_eq!((settings.scope.as_str(), settings.default_scope.as_str()), ("openid photos.read", "openid"));
    assert_eq!(settings.resources.iter().count(), 1);
    assert_eq!(settings.audience, ["photos-api"]);
    assert!(!settings.require_pkce);
    assert_eq!(settings.client_uri.as_deref(), Some("https://photos.example/"));
    assert_eq!(settings.policy_uri.as_deref(), Some("https://photos.example/privacy"));
    assert_eq!(settings.tos_uri.as_deref(), Some("https://photos.example/terms"));
    assert_eq!(settings.consent, ConsentMode::Skip);
    assert_eq!(settings.outlives_session, OutlivesSession::Always);
    assert_eq!(settings.access_token_format, AccessTokenFormat::JwtEdDsa);
    assert_eq!(settings.id_token_algorithm, IdTokenAlgorithm::Rs256);
    assert!(!settings.id_token_on_refresh);
    assert_eq!(settings.policy.rotation, RotationMode::Reuse);
    assert_eq!(settings.policy.retry_window_seconds, Some(31));
    assert_eq!(settings.policy.on_reuse, Some(OnReuse::Revoke));
    assert_eq!(settings.policy.scope_narrowing, ScopeNarrowing::AccessToken);
    assert_eq!(settings.policy.old_access_tokens, OldAccessTokens::Keep);
    assert_eq!(settings.refresh_token_scope.as_ref().map(Scope::as_str), Some("openid"));
    assert!(!settings.allow_unsafe_rotation);
    assert_eq!(settings.policy.code_retry_seconds, 0);
    assert_eq!(settings.policy.access_lifetime, Lifetime::from_seconds(61));
    assert_eq!(settings.policy.idle_lifetime, Lifetime::from_seconds(62));
    assert_eq!(settings.policy.absolute_lifetime, Lifetime::from_seconds(63));
    assert!(settings.credential.is_none());

    let settings = &app.settings;
    assert_eq!(settings.auth_methods, [TokenEndpointAuthMethod::None]);
    assert_eq!(settings.default_scope.as_str(), "openid");
    assert_eq!(settings.policy, config.defaults.policy);
    assert_eq!(settings.policy.rotation, RotationMode::Consume);
    assert_eq!(settings.policy.retry_window_seconds, Some(30));
    assert_eq!(settings.policy.on_reuse, Some(OnReuse::Alert));
    assert_eq!(settings.policy.scope_narrowing, ScopeNarrowing::Grant);
    assert_eq!(settings.policy.old_access_tokens, OldAccessTokens::End);
    assert_eq!(settings.refresh_token_scope.as_ref().map(Scope::as_str), Some("offline"));
    assert_eq!(settings.policy.code_retry_seconds, 10);
    assert_eq!(settings.policy.access_lifetime, Lifetime::from_seconds(60));
    assert_eq!(settings.policy.idle_lifetime, Lifetime::Never);
    assert_eq!(settings.policy.absolute_lifetime, Lifetime::from_seconds(600));
    assert_eq!(settings.consent, ConsentMode::Always);
    assert_eq!(settings.outlives_session, OutlivesSession::WithOfflineAccess);
    assert_eq!(settings.access_token_format, AccessTokenFormat::Opaque);
    assert_eq!(settings.id_token_algorithm, IdTokenAlgorithm::Es256);
    assert!(settings.id_token_on_refresh);
}

#[test]
fn what_is_printed_means_the_same() {
    let (folder, config) = load();
    let printed = print(&config, false);
    let again = folder.load(&printed).unwrap();
    assert_eq!(print(&again, false), printed);
    assert_eq!(again.clients()[0].settings, config.clients()[0].settings);
    assert_eq!(again.clients()[1].settings, config.clients()[1].settings);
    assert_eq!(config.needs_restart(&again), Vec::<String>::new());
}

#[test]
fn every_printed_value_tells_where_it_comes_from_and_no_secret_is_printed() {
    let folder = Folder::new();
    let file = EVERYTHING.replace("secret_file = \"photos.secret\"", &format!("secret = \"{SECRET}\""));
    let environment = [("REGRANT_LOG_LEVEL", "debug"), ("REGRANT_CLIENT_APP_NAME", "The \"App\"")];
    let config = folder.load_over(&file, &environment, &[("data", "elsewhere")]).unwrap();
    let printed = folder.short(&print(&config, true));
    for line in [
        "issuer = \"https://id.example\"  # regrant.toml:2",
        "level = \"debug\"  # REGRANT_LOG_LEVEL",
        "name = \"The \\\"App\\\"\"  # REGRANT_CLIENT_APP_NAME",
        "# secret is not shown  # regrant.toml:72",
        "post_logout_redirect_uris = []  # default",
        "rotation = \"consume\"  # regrant.toml:31",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line}\n{printed}");
    }
    assert!(printed.contains("elsewhere\"  # --data"), "{printed}");
    let told = format!("{printed}{config:?}");
    assert!(!told.contains(SECRET) && !told.contains(ADMIN_TOKEN));
}
