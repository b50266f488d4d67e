//! `regrant serve`: what a configuration file makes of the program.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use regrant_crypto::SystemEntropy;
use regrant_protocol::{ClientId, SystemClock};
use regrant_store::Store;
use regrant_store_sqlite::{Genesis, SqliteStore};
use tempfile::TempDir;

use crate::curl::{bash, run};
use crate::program::{Program, serving};

/// A directory with a configuration for plain HTTP and the secret of its one client.
pub(crate) struct Site {
    folder: TempDir,
}

impl Site {
    pub(crate) fn new() -> Self {
        let site = Self { folder: tempfile::tempdir().expect("a test may write temporary files") };
        site.write("app.secret", "sesame\n");
        site.configure("plain_http = true\n", &client("app"));
        site
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("the folder is ours");
    }

    /// Writes the configuration: these lines behind those of `[server]`, and these sections.
    pub(crate) fn configure(&self, server: &str, sections: &str) {
        let server = format!(
            "[server]\nissuer = \"https://id.example\"\nlisten = [\"127.0.0.1:0\", \"127.0.0.1:0\"]\ndata = \"data\"\n{server}"
        );
        self.write("regrant.toml", &format!("{server}{sections}"));
    }

    fn write_certificate(&self) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate can be made");
        self.write("tls.crt", &cert.pem());
        self.write("tls.key", &signing_key.serialize_pem());
    }

    pub(crate) fn start(&self) -> Program {
        Program::run(&mut serving(&self.path("regrant.toml")))
    }

    /// The version of a client in the store of a program that has ended.
    async fn version(&self, id: &str) -> u64 {
        let genesis = Genesis {
            realm: regrant_grant::Realm(regrant_crypto::random(&SystemEntropy)),
            epoch_random: regrant_crypto::random(&SystemEntropy),
        };
        let store = SqliteStore::open(&self.path("data/regrant.db"), genesis, Arc::new(SystemClock));
        let id = ClientId::parse(id).expect("it is an identifier");
        let found = store.expect("the program has let go of it").client(&id).await.expect("the store answers");
        found.expect("the client is registered").party.version
    }
}

pub(crate) fn client(id: &str) -> String {
    format!(
        "[[client]]\nid = \"{id}\"\nsecret_file = \"app.secret\"\ngrant_types = [\"client_credentials\"]\nscope = \"read\"\n"
    )
}

/// The status of a request for a token with a client's own right.
fn status(url: &str, client: &str, options: &str) -> u16 {
    run(&format!("curl {options} -u {client}:sesame {url}/token -d grant_type=client_credentials")).status
}

#[test]
fn every_address_answers_and_the_issuer_may_be_https_behind_a_proxy() {
    let site = Site::new();
    let mut program = site.start();
    let second = program.line();
    let second = second.strip_prefix("listening on ").expect("one line for each address");
    for url in [program.url.as_str(), second] {
        assert_eq!(status(url, "app", ""), 200, "{url}");
        let metadata = run(&format!("curl {url}/.well-known/openid-configuration"));
        assert_eq!(metadata.member("issuer"), "https://id.example");
    }
    let cookie = bash(&format!("curl -si {}/account | grep -i '^set-cookie'", program.url));
    assert!(cookie.contains("Secure"), "{cookie}");
    assert_eq!(program.terminate().status.code(), Some(0));
}

#[tokio::test]
async fn a_second_start_moves_no_version_and_a_new_secret_moves_its_own() {
    let site = Site::new();
    site.configure("plain_http = true\n", &(client("app") + &client("other").replace("app.secret", "other.secret")));
    site.write("other.secret", "sesame");
    for _ in 0..2 {
        let program = site.start();
        assert_eq!(status(&program.url, "app", ""), 200);
        program.terminate();
        assert_eq!((site.version("app").await, site.version("other").await), (1, 1));
    }
    site.write("other.secret", "another");
    let program = site.start();
    assert_eq!(status(&program.url, "other", ""), 401);
    program.terminate();
    assert_eq!((site.version("app").await, site.version("other").await), (1, 2));
}

#[test]
fn sighup_adds_a_client_and_a_broken_file_changes_nothing() {
    let site = Site::new();
    let program = site.start();
    let url = program.url.clone();
    assert_eq!(status(&url, "late", ""), 401);

    let both = client("app") + &client("late");
    site.configure("plain_http = true\n", &format!("{both}[branding]\nname = \"Example\"\n"));
    program.signal("HUP");
    program.wait_for_log("read the configuration again");
    assert_eq!(status(&url, "late", ""), 200);
    assert!(bash(&format!("curl -s {url}/account")).contains("Example"));

    site.configure("plain_http = yes\n", &client("third"));
    program.signal("HUP");
    program.wait_for_log("the new configuration is refused");
    assert_eq!((status(&url, "third", ""), status(&url, "app", "")), (401, 200));

    site.configure("plain_http = true\ntrusted_proxies = [\"10.0.0.0/8\"]\n", &client("third"));
    program.signal("HUP");
    program.wait_for_log("server.trusted_proxies");
    program.wait_for_log("read the configuration again");
    assert_eq!((status(&url, "third", ""), status(&url, "late", "")), (200, 200));
    assert_eq!(program.terminate().status.code(), Some(0));
}

#[test]
fn tls_speaks_to_curl_and_takes_a_new_certificate() {
    let site = Site::new();
    site.write_certificate();
    site.configure("", &format!("[tls]\ncertificate = \"tls.crt\"\nkey = \"tls.key\"\n{}", client("app")));
    let program = site.start();
    let url = program.url.clone();
    assert!(url.starts_with("https://"), "{url}");
    program.wait_for_log("it is not for id.example, the host of the issuer, but for: 127.0.0.1");
    let trust = |name: &str| format!("--cacert {}", site.path(name).display());
    for version in ["--tlsv1.2 --tls-max 1.2", "--tlsv1.3"] {
        assert_eq!(status(&url, "app", &format!("{version} {}", trust("tls.crt"))), 200, "{version}");
    }
    assert_eq!(status(&url, "app", &format!("--tls-max 1.1 {}", trust("tls.crt"))), 0);
    let headers = bash(&format!("curl -sI {} {url}/login", trust("tls.crt")));
    assert!(headers.contains("strict-transport-security: max-age=31536000"), "{headers}");

    fs::copy(site.path("tls.crt"), site.path("old.crt")).unwrap();
    site.write_certificate();
    assert_eq!(status(&url, "app", &trust("old.crt")), 200);
    program.signal("HUP");
    program.wait_for_log("new connections get the new certificate");
    assert_eq!((status(&url, "app", &trust("tls.crt")), status(&url, "app", &trust("old.crt"))), (200, 0));

    site.write("tls.key", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n");
    program.wait_for_log("the new certificate is refused");
    assert_eq!(status(&url, "app", &trust("tls.crt")), 200);
    assert_eq!(program.terminate().status.code(), Some(0));
}

#[test]
fn sigterm_answers_what_was_begun() {
    const BEGUN: usize = 8;
    let site = Site::new();
    let program = site.start();
    let address = program.url.trim_start_matches("http://").to_owned();
    let request = "POST /token HTTP/1.1\r\nHost: id.example\r\nAuthorization: Basic YXBwOnNlc2FtZQ==\r\n\
                   Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 29\r\nExpect: 100-continue\r\n\r\n";
    let mut begun: Vec<TcpStream> = (0..BEGUN)
        .map(|_| {
            let mut stream = TcpStream::connect(&address).expect("the program listens");
            stream.write_all(request.as_bytes()).expect("the program reads");
            // It asks for the body: the request has begun.
            let mut asked = [0; 25];
            stream.read_exact(&mut asked).expect("the program asks for the body");
            stream
        })
        .collect();
    program.signal("TERM");
    // The listener closes before anything else ends.
    while TcpStream::connect(&address).is_ok() {}
    for stream in &mut begun {
        stream.write_all(b"grant_type=client_credentials").expect("the program still reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the program answers");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    assert_eq!(program.wait().status.code(), Some(0));
}

#[test]
fn the_admin_listener_says_that_the_server_is_alive_and_ready() {
    let site = Site::new();
    site.configure("plain_http = true\n", "[admin]\nlisten = \"127.0.0.1:0\"\n");
    let mut program = site.start();
    program.line();
    let admin = program.line();
    let admin = admin.strip_prefix("admin listening on ").expect("the line behind those of the addresses");
    assert_eq!(bash(&format!("curl -s {admin}/livez {admin}/readyz")), "alive\nready\n");
    assert_eq!(run(&format!("curl {admin}/token")).status, 404);
    assert_eq!(run(&format!("curl {}/livez", program.url)).status, 404);
}

#[test]
fn the_file_of_the_page_is_short_and_good() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations/serve.md")).unwrap();
    let example = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(example.lines().count() < 20);
    let site = Site::new();
    site.write_certificate();
    site.write("photos.secret", "sesame");
    let here = site.folder.path().display().to_string();
    site.write("regrant.toml", &example.replace("/etc/regrant", &here).replace("/var/lib/regrant", &here));
    let checked = Command::new(crate::program::binary())
        .args(["config", "check"])
        .arg(site.path("regrant.toml"))
        .output()
        .expect("the program starts");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
