//! Which layer wins, and what a variable or flag means.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use regrant_admin::AdminToken;
use regrant_engine::Secrecy;
use regrant_protocol::Secret;
use regrant_server::config::{Config, LogFormat, Origin, StoreConfig, print};

use crate::folder::{ADMIN_TOKEN, Folder, SECRET};

const FILE: &str = "\
[server]
issuer = \"https://file.example\"
listen = [\"127.0.0.1:1\"]
plain_http = true

[[client]]
id = \"photos app\"
secret_file = \"photos.secret\"
grant_types = [\"client_credentials\"]
";

#[test]
fn a_flag_wins_over_the_environment_that_over_the_file_and_that_over_the_default() {
    let folder = Folder::new();
    let variable = ("REGRANT_SERVER_ISSUER", "https://environment.example");
    let flag = ("issuer", "https://flag.example");
    let issuer = |environment: &[(&str, &str)], flags: &[(&'static str, &str)]| {
        let config = folder.load_over(FILE, environment, flags).unwrap();
        (
            config.server.issuer.as_str().to_owned(),
            folder.short(&config.origin("server", "issuer").unwrap().to_string()),
        )
    };
    let told = |issuer: &str, origin: &str| (issuer.to_owned(), origin.to_owned());
    assert_eq!(issuer(&[], &[]), told("https://file.example", "regrant.toml:2"));
    assert_eq!(issuer(&[variable], &[]), told("https://environment.example", "REGRANT_SERVER_ISSUER"));
    assert_eq!(issuer(&[variable], &[flag]), told("https://flag.example", "--issuer"));
    assert_eq!(issuer(&[("REGRANT_SERVER_ISSUER", "")], &[]), told("https://file.example", "regrant.toml:2"));
    let config = folder.load(FILE).unwrap();
    assert_eq!(config.origin("server", "data"), Some(&Origin::Default));
    assert_eq!(config.origin("admin", "listen"), None);
}

#[test]
fn a_variable_is_read_as_its_key_asks() {
    let folder = Folder::new();
    let environment = [
        ("REGRANT_SERVER_LISTEN", "127.0.0.1:2, [::1]:3"),
        ("REGRANT_SERVER_PLAIN_HTTP", "true"),
        ("REGRANT_SESSIONS_LIFETIME", "120"),
        ("REGRANT_LOG_FORMAT", "json"),
        ("REGRANT_DEFAULTS_RETRY_WINDOW", "0"),
        ("REGRANT_CLIENT_PHOTOS_APP_AUTH_METHODS", "client_secret_post"),
        ("REGRANT_CLIENT_PHOTOS_APP_CODE_RETRY", "3"),
    ];
    let config = folder.load_over(FILE, &environment, &[]).unwrap();
    assert_eq!(config.server.listen, ["127.0.0.1:2".parse().unwrap(), "[::1]:3".parse().unwrap()]);
    assert_eq!(config.sessions.lifetime_seconds, 120);
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.defaults.policy.retry_window_seconds, Some(0));
    let settings = &config.clients()[0].settings;
    assert_eq!(settings.policy.retry_window_seconds, Some(0));
    assert_eq!(settings.policy.code_retry_seconds, 3);
    assert_eq!(settings.auth_methods.len(), 1);
}

#[test]
fn what_a_variable_or_flag_gets_wrong_is_told_by_its_name() {
    let folder = Folder::new();
    let environment = [
        ("REGRANT_SERVER_PLAIN_HTTP", "yes"),
        ("REGRANT_SERVER_ISUER", "x"),
        ("REGRANT_SESSIONS_LIFETIME", "7 days"),
        ("REGRANT_DEFAULTS_CODE_RETRY", "11"),
        ("REGRANT_CLIENT_PHOTOS_APP_ROTATION", "fok"),
        ("REGRANT_CLIENT_PHOTOS_APP_SECRETFILE", SECRET),
    ];
    assert_eq!(
        folder.told(folder.load_over(FILE, &environment, &[("listen", "8080")])),
        "REGRANT_CLIENT_PHOTOS_APP_ROTATION: client \"photos app\": rotation: \"fok\" is none of these: \"rotate\", \"reuse\", \
         \"consume\", \"fork\"; did you mean \"fork\"?\n\
         REGRANT_CLIENT_PHOTOS_APP_SECRETFILE: regrant reads no such variable; did you mean \
         REGRANT_CLIENT_PHOTOS_APP_SECRET_FILE?\n\
         REGRANT_DEFAULTS_CODE_RETRY: defaults.code_retry: 11 is not between 0 and 10 seconds\n\
         REGRANT_SERVER_ISUER: regrant reads no such variable; did you mean REGRANT_SERVER_ISSUER?\n\
         REGRANT_SERVER_PLAIN_HTTP: server.plain_http: it is \"yes\"; write true or false\n\
         REGRANT_SESSIONS_LIFETIME: sessions.lifetime: it is \"7 days\"; write a whole number of seconds\n\
         --listen: server.listen: \"8080\" is not an IP address and a port, such as 127.0.0.1:8080, 0.0.0.0:443 or [::]:443"
    );
}

#[test]
fn a_secret_comes_from_the_strongest_layer_that_gives_one() {
    let folder = Folder::new();
    let other = folder.write("other.secret", "from a variable's file\r\n");
    let secret = |environment: &[(&str, &str)]| {
        let config = folder.load_over(FILE, environment, &[]).unwrap();
        let Secrecy::Chosen(secret) = config.clients()[0].secrecy.clone() else { panic!("a secret was given") };
        secret
    };
    let expected = |text: &str| Secret::new(text.to_owned());
    assert_eq!(secret(&[]), expected(SECRET));
    assert_eq!(secret(&[("REGRANT_CLIENT_PHOTOS_APP_SECRET", "from a variable")]), expected("from a variable"));
    let named = ("REGRANT_CLIENT_PHOTOS_APP_SECRET_FILE", other.to_str().unwrap());
    assert_eq!(secret(&[named]), expected("from a variable's file"));
    assert_eq!(
        folder.told(folder.load_over(FILE, &[named, ("REGRANT_CLIENT_PHOTOS_APP_SECRET", SECRET)], &[])),
        "REGRANT_CLIENT_PHOTOS_APP_SECRET: client \"photos app\": secret: the client has a secret_file too; leave out one of the two"
    );
}

#[test]
fn of_the_secret_that_won_only_the_origin_is_printed() {
    let folder = Folder::new();
    let config = folder.load_over(FILE, &[("REGRANT_CLIENT_PHOTOS_APP_SECRET", SECRET)], &[]).unwrap();
    let printed = print(&config, true);
    assert!(printed.contains("# secret is not shown  # REGRANT_CLIENT_PHOTOS_APP_SECRET\n"), "{printed}");
    assert!(!printed.contains("secret_file") && !printed.contains(SECRET), "{printed}");
}

#[test]
fn free_ports_may_be_asked_for_twice_and_this_machine_needs_no_tls() {
    let folder = Folder::new();
    let file = FILE.replace("\"127.0.0.1:1\"", "\"127.0.0.1:0\", \"127.0.0.1:0\"");
    for issuer in ["http://127.0.0.1:8080", "http://[::1]/id", "http://localhost"] {
        let config = folder.load_over(&file, &[("REGRANT_SERVER_ISSUER", issuer)], &[]).unwrap();
        assert_eq!((config.server.listen.len(), config.warnings.len()), (2, 0), "{issuer}");
    }
    let config = folder.load_over(&file, &[("REGRANT_SERVER_ISSUER", "http://localhost.example")], &[]).unwrap();
    assert_eq!(config.warnings.len(), 1);
}

#[test]
fn a_variable_that_could_mean_two_clients_is_refused() {
    let folder = Folder::new();
    let file = format!("{FILE}[[client]]\nid = \"photos-app\"\npublic = true\ngrant_types = []\n");
    assert_eq!(
        folder.told(folder.load_over(&file, &[("REGRANT_CLIENT_PHOTOS_APP_SCOPE", "read")], &[])),
        "REGRANT_CLIENT_PHOTOS_APP_SCOPE: this variable could mean client \"photos app\": scope or client \"photos-app\": scope; set \
         them in the file instead"
    );
}

#[test]
fn a_relative_path_in_the_file_begins_where_the_file_is() {
    let folder = Folder::new();
    let config = folder.load(&format!("{FILE}[branding]\nlogo = \"logo.SVG\"\n")).unwrap();
    assert_eq!(config.branding.logo.unwrap().path, folder.path().join("logo.SVG"));
    assert_eq!(config.server.data, std::env::current_dir().unwrap().join("regrant-data"));
}

#[test]
fn what_is_allowed_and_not_wise_is_pointed_out() {
    let folder = Folder::new();
    let file = FILE
        .replace("https://file.example", "http://file.example")
        .replace("secret_file = \"photos.secret\"", "secret = \"x\"");
    let warnings: Vec<String> =
        folder.load(&file).unwrap().warnings.iter().map(|warning| folder.short(&warning.to_string())).collect();
    assert_eq!(
        warnings,
        [
            "regrant.toml:2: server.issuer: clients and browsers reach this issuer without TLS: passwords and tokens can be read on the \
             way",
            "regrant.toml:8: client \"photos app\": secret: whoever may read this file may act as the client; put the secret into a file \
             of its own and name it in secret_file",
            "regrant.toml:8: client \"photos app\": secret: the secret has fewer than 16 characters and may be guessed; make one with: \
             openssl rand -hex 32",
        ]
    );
}

#[test]
fn the_admin_token_comes_from_a_file_or_a_variable_and_is_long() {
    let folder = Folder::new();
    let variable = [("REGRANT_ADMIN_TOKEN", ADMIN_TOKEN), ("REGRANT_ADMIN_LISTEN", "127.0.0.1:9")];
    let config = folder.load_over(FILE, &variable, &[]).unwrap();
    assert_eq!(config.admin.token, AdminToken::parse(ADMIN_TOKEN).ok());
    assert!(config.warnings.is_empty());

    let short = folder.write("short.token", &"x".repeat(31)).display().to_string();
    let odd = format!("{} {ADMIN_TOKEN}", &ADMIN_TOKEN[..3]);
    for variable in [
        ("REGRANT_ADMIN_TOKEN", &ADMIN_TOKEN[..31]),
        ("REGRANT_ADMIN_TOKEN", &odd),
        ("REGRANT_ADMIN_TOKEN_FILE", &short),
    ] {
        let told = folder.told(folder.load_over(FILE, &[variable], &[]));
        assert!(told.contains("an admin token is 32 to 512") && told.contains("openssl rand"), "{told}");
        assert!(!told.contains(&ADMIN_TOKEN[..31]), "{told}");
    }

    let file = format!("{FILE}[admin]\ntoken = \"{ADMIN_TOKEN}\"\n");
    let told: Vec<String> = folder.load(&file).unwrap().warnings.iter().map(ToString::to_string).collect();
    let [discouraged, useless] = &told[..] else { panic!("{told:?}") };
    assert!(useless.contains("admin.token: the token opens nothing, as there is no admin.listen"), "{useless}");
    assert!(discouraged.contains("put the token into a file of its own and name it in token_file"), "{discouraged}");
    let contradiction = format!("{file}token_file = \"admin.token\"\n");
    let told = folder.told(folder.load(&contradiction));
    assert!(told.contains("admin.token: the admin API has a token_file too"), "{told}");
}

#[test]
fn files_that_others_may_read_are_pointed_out() {
    let folder = Folder::new();
    folder.write("admin.token", ADMIN_TOKEN);
    folder.write("audit.log", "");
    let file = format!(
        "{FILE}[admin]\nlisten = \"127.0.0.1:0\"\ntoken_file = \"admin.token\"\n[log]\naudit = \"audit.log\"\n"
    );
    let told = |token_mode, audit_mode| -> Vec<String> {
        for (name, mode) in [("admin.token", token_mode), ("audit.log", audit_mode)] {
            std::fs::set_permissions(folder.path().join(name), Permissions::from_mode(mode)).unwrap();
        }
        folder.load(&file).unwrap().warnings.iter().map(ToString::to_string).collect()
    };
    assert_eq!(told(0o600, 0o640), [""; 0]);
    let both = told(0o640, 0o644);
    let [token, audit] = &both[..] else { panic!("{both:?}") };
    assert!(
        token.contains("admin.token_file: ") && token.contains("(mode 640)") && token.contains("chmod 600"),
        "{token}"
    );
    assert!(audit.contains("log.audit: ") && audit.contains("(mode 644)") && audit.contains("chmod 600"), "{audit}");
}

#[test]
fn the_audit_trail_is_written_into_no_file_of_the_server() {
    let folder = Folder::new();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    folder.write("data/regrant.db", "");
    std::os::unix::fs::symlink(data.join("regrant.db"), folder.path().join("link.log")).unwrap();
    let load = |audit: &str| {
        let data = data.display().to_string();
        folder.load_over(FILE, &[("REGRANT_SERVER_DATA", &data), ("REGRANT_LOG_AUDIT", audit)], &[])
    };
    for name in
        ["data/regrant.db", "data/regrant.db-wal", "data/master.key", "data/lock", "data/admin.sock", "link.log"]
    {
        let told = folder.told(load(&folder.path().join(name).display().to_string()));
        assert!(told.contains("log.audit: ") && told.contains("is a file of the server itself"), "{name}: {told}");
    }
    for name in ["data/audit.log", "master.key", "audit/regrant.db"] {
        assert!(load(&folder.path().join(name).display().to_string()).is_ok(), "{name}");
    }
}

#[test]
fn a_new_start_is_asked_for_only_by_keys_that_need_one() {
    let folder = Folder::new();
    let load = |environment: &[(&str, &str)]| folder.load_over(FILE, environment, &[]).unwrap();
    let needs = |newer: &Config| load(&[]).needs_restart(newer);
    assert_eq!(needs(&load(&[])), Vec::<String>::new());
    let soft =
        [("REGRANT_LOG_LEVEL", "debug"), ("REGRANT_CLIENT_PHOTOS_APP_SCOPE", "read"), ("REGRANT_BRANDING_NAME", "x")];
    assert_eq!(needs(&load(&soft)), Vec::<String>::new());
    let hard = [("REGRANT_SERVER_ISSUER", "https://new.example"), ("REGRANT_ADMIN_LISTEN", "127.0.0.1:9")];
    assert_eq!(needs(&load(&hard)), ["server.issuer", "admin.listen"]);
}

#[test]
fn a_url_in_the_environment_makes_the_store_postgres_and_its_password_is_nowhere() {
    let folder = Folder::new();
    let url = ("REGRANT_STORE_URL", "postgres://regrant@db.example/oauth");
    let password = ("REGRANT_STORE_PASSWORD", SECRET);
    let config = folder.load_over(FILE, &[url, password], &[]).unwrap();
    let StoreConfig::Postgres(settings) = &config.store else { panic!("{:?}", config.store) };
    assert_eq!(settings.address.to_string(), "postgres://regrant@db.example:5432/oauth");
    let printed = print(&config, true);
    assert!(printed.contains("kind = \"postgres\"") && printed.contains("# password is not shown"), "{printed}");
    assert!(!format!("{config:?}{printed}").contains(SECRET));
    assert!(config.warnings.is_empty());
    let config = folder.load(FILE).unwrap();
    assert!(matches!(config.store, StoreConfig::Sqlite));
    let refused = folder.load_over(FILE, &[password], &[]).unwrap_err().to_string();
    assert!(refused.contains("store.url: it is missing; password needs it") && !refused.contains(SECRET), "{refused}");
}
