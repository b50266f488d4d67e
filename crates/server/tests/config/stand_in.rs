//! What the configuration makes of a system whose place the server takes.

use regrant_grant::{OldAccessTokens, RotationMode, ScopeNarrowing};
use regrant_http::Dialect;
use regrant_import::settings::{OptionKind, OptionPreset, OptionValue, System, SystemOption, TimeSpelling};
use regrant_protocol::{Lifetime, Scope};
use regrant_server::config::{Config, print};
use regrant_store::{AccessTokenFormat, ClientDefaults};

use crate::folder::Folder;

/// A server that takes the place of `system`, on seven lines.
fn server(system: &str) -> String {
    format!(
        "[server]\nissuer = \"https://id.example\"\nstand_in = \"{system}\"\n[tls]\ncertificate = \"tls.crt\"\nkey = \"tls.key\"\n\n"
    )
}

fn load(system: &str, rest: &str) -> (Folder, Config) {
    let folder = Folder::new();
    let config = folder.load(&format!("{}{rest}", server(system))).unwrap_or_else(|errors| panic!("{rest}: {errors}"));
    (folder, config)
}

#[test]
fn one_line_selects_what_a_system_does() {
    let seconds = Lifetime::from_seconds;
    let built_in = || ClientDefaults::BUILT_IN;
    let mut php = built_in();
    php.policy.rotation = RotationMode::Consume;
    php.policy.absolute_lifetime = Lifetime::Never;
    php.policy.scope_narrowing = ScopeNarrowing::Grant;
    (php.access_token_format, php.require_pkce) = (AccessTokenFormat::Opaque, false);
    let mut wso2 = ClientDefaults { access_token_format: AccessTokenFormat::Opaque, require_pkce: false, ..built_in() };
    (wso2.policy.idle_lifetime, wso2.policy.absolute_lifetime) = (seconds(86_400), Lifetime::Never);
    wso2.policy.scope_narrowing = ScopeNarrowing::Grant;
    wso2.policy.old_access_tokens = OldAccessTokens::End;
    let mut dotauth = ClientDefaults {
        access_token_format: AccessTokenFormat::JwtRs256,
        refresh_token_scope: Some(Scope::parse("offline").unwrap()),
        id_token_on_refresh: true,
        require_pkce: false,
        ..built_in()
    };
    dotauth.policy.access_lifetime = seconds(1800);
    dotauth.policy.old_access_tokens = OldAccessTokens::End;
    let mut jiko = built_in();
    (jiko.policy.access_lifetime, jiko.policy.idle_lifetime) = (seconds(900), seconds(86_400));
    for (name, defaults) in [
        ("standard", built_in()),
        ("bshaffer", php.clone()),
        ("redcore", php),
        ("wso2", wso2),
        ("dotauth", dotauth),
        ("jiko", jiko),
    ] {
        let (_folder, config) = load(name, "");
        assert_eq!(config.defaults, defaults, "{name}");
        assert_eq!(config.dialects.default, Dialect::named(name).unwrap(), "{name}");
        assert!(config.dialects.at.is_empty() && config.warnings.is_empty(), "{name}: {:?}", config.warnings);
    }
}

#[test]
fn a_client_wins_over_the_defaults_those_over_the_options_and_those_over_the_system() {
    let (folder, config) = load(
        "bshaffer",
        "[bshaffer]\nalways_issue_new_refresh_token = true\nrefresh_token_lifetime = 60\naccess_lifetime = 70\n\
         [defaults]\naccess_lifetime = 80\n\
         [[client]]\nid = \"web\"\nsecret_file = \"photos.secret\"\nredirect_uris = [\"https://web.example/\"]\naccess_lifetime = 90\n\
         [[client]]\nid = \"app\"\npublic = true\nredirect_uris = [\"http://127.0.0.1/\"]\n",
    );
    let printed = folder.short(&print(&config, true));
    for line in [
        "stand_in = \"bshaffer\"  # regrant.toml:3",
        "refresh_token_lifetime = 60  # regrant.toml:10",
        "rotation = \"rotate\"  # bshaffer.always_issue_new_refresh_token, regrant.toml:9",
        "idle_lifetime = 60  # bshaffer.refresh_token_lifetime, regrant.toml:10",
        "absolute_lifetime = 0  # stand-in bshaffer",
        "scope_narrowing = \"grant\"  # stand-in bshaffer",
        "consent = \"remember\"  # default",
        "access_lifetime = 80  # regrant.toml:13",
        "access_lifetime = 90  # regrant.toml:18",
        "require_pkce = false  # stand-in bshaffer",
        "require_pkce = true  # default",
        "scope = \"null\"  # stand-in bshaffer",
        "php_values = true  # stand-in bshaffer",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line}\n{printed}");
    }
    let [web, app] = config.clients() else { panic!("two clients") };
    assert_eq!(web.settings.policy.access_lifetime, Lifetime::from_seconds(90));
    assert_eq!((web.settings.require_pkce, app.settings.require_pkce), (false, true));
    assert_eq!(app.settings.policy.rotation, RotationMode::Rotate);
}

#[test]
fn what_is_printed_means_the_same() {
    let (folder, config) = load(
        "wso2",
        "[wso2]\nrefresh_token_validity = \"2d\"\nTimestampSkew = -1\n[dialect]\nscope = \"absent\"\n[dialect.paths]\n\"/api/token\" = \"jiko\"\n",
    );
    let printed = print(&config, false);
    assert!(printed.contains("\nRefreshTokenValidityPeriod = 172800\nTimestampSkew = -1\n"), "{printed}");
    let again = folder.load(&printed).unwrap();
    assert_eq!(print(&again, false), printed);
    assert_eq!((&again.defaults, &again.dialects), (&config.defaults, &config.dialects));
}

#[test]
fn single_choices_of_the_dialect_are_made_otherwise_and_paths_have_their_own() {
    let (folder, config) = load(
        "bshaffer",
        "[bshaffer]\nallow_public_clients = false\nallow_credentials_in_request_body = false\n\
         [dialect]\nscope = \"absent\"\njson_body = false\nclient_failure_status = 401\ncredentials_in_body = true\n\
         [dialect.paths]\n\"/oauth2/token\" = \"wso2\"\n\"/own/token\" = \"standard\"\n",
    );
    let mut expected = Dialect::bshaffer();
    for (key, value) in
        [("scope", "absent"), ("json_body", "false"), ("client_failure_status", "401"), ("public_clients", "false")]
    {
        expected.set(key, value).unwrap();
    }
    assert_eq!(config.dialects.default, expected);
    let at: Vec<_> = config.dialects.at.into_iter().collect();
    assert_eq!(at, [("/oauth2/token".to_owned(), Dialect::wso2()), ("/own/token".to_owned(), Dialect::standard())]);

    let environment = [("REGRANT_DIALECT_SCOPE", "null"), ("REGRANT_BSHAFFER_ACCESS_LIFETIME", "61")];
    let config = folder.load_over(&server("bshaffer"), &environment, &[]).unwrap();
    assert_eq!(config.defaults.policy.access_lifetime, Lifetime::from_seconds(61));
    let printed = folder.short(&print(&config, true));
    for line in [
        "scope = \"null\"  # REGRANT_DIALECT_SCOPE",
        "access_lifetime = 61  # bshaffer.access_lifetime, REGRANT_BSHAFFER_ACCESS_LIFETIME",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line}\n{printed}");
    }
}

#[test]
fn every_option_is_taken_under_each_of_its_names() {
    for system in System::ALL {
        for option in system.options() {
            for name in option.also.iter().chain([&option.name]) {
                let section = system.name();
                let (_folder, config) = load(section, &format!("[{section}]\n{name} = {}\n", sample(option)));
                let origin = config.origin(section, option.name).map(ToString::to_string).unwrap_or_default();
                assert!(origin.ends_with("regrant.toml:9"), "{section} {name}: {origin}");
            }
        }
    }
}

fn sample(option: &SystemOption) -> String {
    match (option.kind, option.preset) {
        (OptionKind::Time(TimeSpelling::Suffixed), _) => "\"1h\"".to_owned(),
        (OptionKind::Time(TimeSpelling::TimeSpan), _) => "\"01:00:00\"".to_owned(),
        (_, OptionPreset::Absent) => "\"x\"".to_owned(),
        (_, preset) => match preset.value() {
            Some(OptionValue::Switch(is_on)) => (!is_on).to_string(),
            Some(OptionValue::Number(number)) => (number + 1).to_string(),
            Some(OptionValue::Text(text)) => format!("\"{text}x\""),
            None => unreachable!("it has a preset"),
        },
    }
}

#[test]
fn a_check_tells_that_columns_are_too_narrow_and_what_is_lost() {
    let told = |system: &str, rest: &str| {
        let (folder, config) = load(system, rest);
        let lines = |problems: &[regrant_server::config::Problem]| {
            problems.iter().map(|problem| folder.short(&problem.to_string())).collect::<Vec<_>>()
        };
        (lines(&config.warnings), lines(&config.notes))
    };
    let width = "regrant's refresh tokens have 72, its access tokens about 190, or up to some thousand as JWTs: a client that stores tokens \
                 must have columns for both that are as wide";
    for (system, theirs) in [
        ("bshaffer", "tokens of bshaffer have 40 characters, unless its access tokens are JWTs"),
        ("redcore", "tokens of redcore have 40 characters, unless its access tokens are JWTs"),
        ("wso2", "tokens of wso2 have 36 characters, unless its access tokens are JWTs"),
        ("dotauth", "refresh tokens of dotauth have 32 characters, and its access tokens are JWTs"),
        ("jiko", "nobody says how long tokens of jiko are"),
    ] {
        let (warnings, notes) = told(system, "");
        assert_eq!(notes, [format!("regrant.toml:3: server.stand_in: {theirs}; {width}")]);
        assert!(warnings.is_empty());
    }
    assert_eq!(told("standard", ""), (Vec::new(), Vec::new()));

    let (warnings, notes) = told("wso2", "[wso2]\nRefreshTokenValidityPeriod = 84600\nTimestampSkew = 300\n");
    assert_eq!(
        warnings,
        [
            "regrant.toml:10: wso2.TimestampSkew: regrant differs: Nothing is added to a lifetime; make the lifetime longer instead"
        ]
    );
    assert!(
        notes[1].starts_with("regrant.toml:9: wso2.RefreshTokenValidityPeriod: 84600 seconds are 23 hours"),
        "{notes:?}"
    );
}

#[test]
fn what_cannot_be_said_is_told_with_what_can() {
    for (system, rest, told) in [
        (
            "redcore",
            "[dialect]\ntime_zone = \"Europe/Nowhere\"\n",
            "regrant.toml:9: dialect.time_zone: \"Europe/Nowhere\" is no time zone of the IANA list; write one such as \"Europe/Copenhagen\"",
        ),
        (
            "wso2",
            "[dialect]\ntenant = \"a/b\"\n",
            "regrant.toml:9: dialect.tenant: \"a/b\" is no name of a tenant; write letters, digits, hyphens, underscores and dots, such as",
        ),
        (
            "bshaffer",
            "[bshaffer]\nalways_issue_new_refresh_token = true\nunset_refresh_token_after_use = false\n\
             [[client]]\nid = \"app\"\npublic = true\nredirect_uris = [\"http://127.0.0.1/\"]\n",
            "allow_unsafe_rotation = true in its entry: rotation comes from bshaffer.always_issue_new_refresh_token here; give this client \
             rotation = \"rotate\" of its own, or change the option",
        ),
        (
            "dotauth",
            "[dotauth]\nTokenLifetime = \"24:00:00\"\n",
            "it is \"24:00:00\"; write \"1.00:00:00\", with the days before a point: .NET reads 24 in the place of the hours as days",
        ),
        (
            "bshaffer",
            "[dialect.paths]\n\"/login\" = \"wso2\"\n",
            "regrant.toml:9: dialect.paths.\"/login\": there is something else at that path; only token, revocation and introspection",
        ),
        (
            "wso2",
            "[dialect.paths]\n\"/oauth2/jwks\" = \"bshaffer\"\n",
            "regrant.toml:9: dialect.paths.\"/oauth2/jwks\": there is something else at that path",
        ),
        (
            "bshaffer",
            "[dialect.paths]\n\"/a/../token\" = \"wso2\"\n",
            "regrant.toml:9: dialect.paths.\"/a/../token\": a part of it is empty, . or ..",
        ),
    ] {
        let folder = Folder::new();
        let errors = folder.load(&format!("{}{rest}", server(system))).unwrap_err();
        let said = folder.short(&errors.to_string());
        assert!(said.contains(told), "{rest}: {said}");
    }
}
