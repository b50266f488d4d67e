use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};

use crate::curl::{log_in, refresh, run};
use crate::program::fresh_data;
use crate::serve::{Site, client};

use super::operator::{Operator, Told, bare};

#[test]
fn the_socket_is_for_its_owner_and_goes_with_the_server() {
    let mut operator = Operator::new(true);
    let socket = operator.data.join("admin.sock");
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    operator.stop();
    assert!(!socket.exists());
}

#[test]
fn a_socket_that_kill_9_left_is_in_nobodys_way() {
    let mut operator = Operator::new(true);
    let token = log_in(operator.url()).refresh_token();
    operator.server.take().expect("it runs").kill();
    assert!(operator.data.join("admin.sock").exists());
    operator.types(&["client", "disable", "TestClient"]).ok();
    operator.start();
    assert_ne!(refresh(operator.url(), &token).status, 200, "what was said meanwhile holds");
    operator.types(&["client", "enable", "TestClient"]).ok();
    refresh(operator.url(), &token).refresh_token();
}

#[test]
fn commands_that_come_at_once_all_do_what_they_say() {
    const COMMANDS: usize = 6;
    let uri = "https://app.example/callback";
    for is_served in [true, false] {
        let operator = Operator::new(is_served);
        let children: Vec<_> = (0..COMMANDS)
            .map(|number| {
                let mut command =
                    operator.command(&["client", "add", &format!("app-{number}"), "--redirect-uris", uri]);
                command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for child in children {
            Told::of(child.wait_with_output()).ok();
        }
        let listed = operator.types(&["client", "list"]).ok().stdout;
        assert_eq!(listed.lines().filter(|line| line.starts_with("app-")).count(), COMMANDS, "{listed}");
    }
}

#[test]
fn where_there_are_no_data_nothing_is_made_and_the_way_to_them_is_told() {
    let (parent, data) = fresh_data();
    for arguments in [
        &["client", "list"][..],
        &["client", "add", "x", "--public"],
        &["user", "list"],
        &["grant", "list"],
        &["key", "list"],
        &["explain"],
        &["backup", "copy.db"],
    ] {
        let told = Told::of(bare(arguments, parent.path()).arg("--data").arg(&data).output());
        told.refused(1, &["there are no data of a server in", "--data DIR", "--config FILE", "regrant serve"]);
    }
    let doctor = Told::of(bare(&["doctor"], parent.path()).arg("--data").arg(&data).output());
    assert_eq!(doctor.code, Some(1));
    doctor.shows(&["fail  data directory"]);
    fs::create_dir(&data).unwrap();
    let told = Told::of(bare(&["client", "list"], parent.path()).arg("--data").arg(&data).output());
    told.refused(1, &["there are no data of a server in"]);
    assert_eq!(fs::read_dir(&data).unwrap().count(), 0);
    let told = Told::of(bare(&["client", "list"], parent.path()).output());
    told.refused(1, &["there are no data of a server in regrant-data"]);
}

#[test]
fn a_process_that_has_the_data_and_does_not_answer_is_told() {
    let operator = Operator::new(false);
    let lock = File::open(operator.data.join("lock")).unwrap();
    lock.try_lock().unwrap();
    let _stale = UnixListener::bind(operator.data.join("admin.sock")).map(drop);
    operator.types(&["client", "list"]).refused(1, &["a process has", "nobody answers at", "admin.sock"]);
    drop(lock);
    operator.types(&["client", "list"]).ok();
}

/// Only root can be somebody else; for others there is nothing to see.
#[test]
fn a_socket_of_another_user_is_told_nothing() {
    let operator = Operator::new(false);
    if fs::metadata(&operator.data).unwrap().uid() != 0 {
        return;
    }
    let socket = operator.data.join("admin.sock");
    for directory in [operator.data.as_path(), operator.folder()] {
        fs::set_permissions(directory, Permissions::from_mode(0o777)).unwrap();
    }
    let listen = "my $s = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 9) or die $!; $| = 1; print qq(bound\n); \
                  my $c = $s->accept; print while <$c>;";
    let mut thief = Command::new("setpriv")
        .args(["--reuid", "65534", "--clear-groups", "perl", "-MIO::Socket::UNIX", "-e", listen])
        .arg(&socket)
        .stdout(Stdio::piped())
        .spawn()
        .expect("Debian has setpriv and perl");
    let mut heard = BufReader::new(thief.stdout.take().expect("it is piped"));
    let mut line = String::new();
    heard.read_line(&mut line).unwrap();
    assert_eq!(line, "bound\n");
    fs::set_permissions(&operator.data, Permissions::from_mode(0o700)).unwrap();
    let told = operator.pipes("wonderland\n", &["user", "add", "bob", "--password-stdin"]);
    told.refused(1, &["user 65534 answers there", "remove the socket"]);
    thief.kill().unwrap();
    thief.wait().unwrap();
    line.clear();
    heard.read_to_string(&mut line).unwrap();
    assert_eq!(line, "");
}

#[test]
fn the_data_are_found_by_the_configuration_as_serve_finds_them() {
    let site = Site::new();
    let server = site.start();
    let folder = site.path("").canonicalize().unwrap();
    let by_file = site.path("regrant.toml").display().to_string();
    let elsewhere = tempfile::tempdir().unwrap();
    Told::of(bare(&["client", "show", "app"], &folder).output()).ok().shows(&["id ", "app\n"]);
    Told::of(bare(&["client", "show", "app", "--config", &by_file], elsewhere.path()).output()).ok();
    let by_variable =
        bare(&["client", "list"], elsewhere.path()).env("REGRANT_SERVER_DATA", site.path("data")).output();
    Told::of(by_variable).ok();
    server.terminate();
    Told::of(bare(&["client", "show", "app", "--config", &by_file], elsewhere.path()).output()).ok();
    fs::write(site.path("regrant.toml"), "[server]\nisuer = \"x\"\n").unwrap();
    let told = Told::of(bare(&["client", "list", "--config", &by_file], elsewhere.path()).output());
    told.refused(1, &["--data DIR names it without", "did you mean issuer"]);
}

#[test]
fn an_act_without_a_server_and_a_configuration_is_told_to_standard_error() {
    let operator = Operator::new(false);
    let told = operator.types(&["client", "disable", "TestClient", "--json"]).ok();
    assert_eq!(told.json()["enabled"], false);
    let line = told.stderr.lines().find(|line| line.starts_with('{')).expect("a line of the audit trail");
    for part in ["administered", "client_disabled", "TestClient", "process", "timestamp"] {
        assert!(line.contains(&format!("\"{part}\"")), "{part}: {line}");
    }
    assert_eq!(operator.types(&["client", "list"]).ok().stderr, "", "who only looks changes nothing");
}

#[test]
fn what_the_configuration_brings_back_is_told() {
    let site = Site::new();
    let server = site.start();
    let folder = site.path("").canonicalize().unwrap();
    let rotate = || Told::of(bare(&["client", "rotate-secret", "app"], &folder).output()).ok();
    rotate().says(&["but client app is at ", "regrant.toml:", "change it there as well"]);
    server.terminate();
    rotate().says(&["but client app is at ", "brings back what stands there"]);
}

#[test]
fn a_secret_that_was_changed_and_cannot_be_printed_is_told() {
    let operator = Operator::new(true);
    for json in [&[][..], &["--json"]] {
        let mut command = operator.command(&["client", "rotate-secret", "TestClient"]);
        let full = File::options().write(true).open("/dev/full").unwrap();
        let told = Told::of(command.args(json).stdout(full).output());
        told.refused(1, &["has a new secret", "it could not be printed", "rotate-secret"]);
    }
}

#[test]
fn the_admin_listener_has_the_api_for_who_has_the_token_and_none_without_one() {
    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    let site = Site::new();
    let admin = |token_file: &str| {
        let sections = format!("[admin]\nlisten = \"127.0.0.1:0\"\n{token_file}\n{}", client("app"));
        site.configure("plain_http = true\n", &sections);
        let mut server = site.start();
        let line = [server.line(), server.line()].into_iter().find(|line| line.starts_with("admin ")).unwrap();
        (line.strip_prefix("admin listening on ").unwrap().to_owned(), server)
    };
    let (url, server) = admin("");
    assert_eq!(run(&format!("curl {url}/admin/v1/clients -H 'Authorization: Bearer {TOKEN}'")).status, 404);
    server.terminate();

    fs::write(site.path("admin.token"), format!("{TOKEN}\n")).unwrap();
    let (url, server) = admin("token_file = \"admin.token\"");
    let status = |options: &str| run(&format!("curl {options} {url}/admin/v1/clients")).status;
    assert_eq!(status(""), 401);
    assert_eq!(status(&format!("-H 'Authorization: Bearer {}'", TOKEN.replace('0', "1"))), 401);
    assert_eq!(status(&format!("-H 'Authorization: Bearer {TOKEN}'")), 200);
    assert_eq!(run(&format!("curl {url}/readyz")).status, 200);
    assert_eq!(run(&format!("curl {}/admin/v1/clients -H 'Authorization: Bearer {TOKEN}'", server.url)).status, 404);
    let copy = site.path("copy.db").display().to_string();
    let backup =
        format!("curl {url}/admin/v1/backup -H 'Authorization: Bearer {TOKEN}' -H 'Content-Type: application/json'");
    assert_eq!(
        run(&format!("{backup} -d '{{\"path\":\"{copy}\"}}'")).status,
        403,
        "files are written for the socket only"
    );
    assert!(!site.path("copy.db").exists());

    let other = TOKEN.replace('0', "1");
    fs::write(site.path("admin.token"), &other).unwrap();
    server.signal("HUP");
    server.wait_for_log("the admin token is another");
    assert_eq!(status(&format!("-H 'Authorization: Bearer {TOKEN}'")), 401, "it has leaked");
    assert_eq!(status(&format!("-H 'Authorization: Bearer {other}'")), 200);
}
