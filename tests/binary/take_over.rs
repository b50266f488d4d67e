//! Refresh tokens of a server whose database cannot be read, taken over one by one by the program.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;

use crate::curl::{Answer, run};
use crate::old_server::{Manner, OldServer};
use crate::program::{Program, binary, serving};

const ALICE: &str = "0d6fb2a9c1e84375a0f1c2d3e4b5968778695a4b";
const BOB: &str = "9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d12345678";

/// A place with a configuration whose client `photos` had an old server.
struct Site {
    folder: TempDir,
}

impl Site {
    fn new(old: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a test may write temporary files");
        let site = Self { folder };
        site.write("photos.secret", "a-secret-of-this-server-here\n");
        site.write("photos.old-secret", "its&old secret\n");
        site.configure(old, more);
        site
    }

    fn configure(&self, old: &str, more: &str) {
        self.write(
            "regrant.toml",
            &format!(
                "[server]\nissuer = \"https://id.example\"\nlisten = [\"127.0.0.1:0\"]\nplain_http = true\ndata = \"data\"\n\
                 stand_in = \"bshaffer\"\n\
                 [bshaffer]\nalways_issue_new_refresh_token = true\n\
                 [[client]]\nid = \"photos\"\nsecret_file = \"photos.secret\"\ngrant_types = [\"refresh_token\"]\nscope = \"openid read\"\n\
                 [[old_server]]\nclient = \"photos\"\nuntil = 2999-12-31\ntoken_endpoint = \"{old}/token.php\"\n\
                 client_id = \"photos-web\"\nsecret_file = \"photos.old-secret\"\nuser_from = \"userinfo\"\n\
                 userinfo_endpoint = \"{old}/userinfo.php\"\n{more}"
            ),
        );
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("the folder is ours");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn serve(&self) -> Program {
        Program::run(&mut serving(&self.path("regrant.toml")))
    }
}

fn refresh(program: &Program, token: &str) -> Answer {
    let form = format!("grant_type=refresh_token&refresh_token={token}");
    run(&format!("curl -u photos:a-secret-of-this-server-here {}/token -d '{form}'", program.url))
}

#[track_caller]
fn assert_later(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.json["error"].as_str()),
        (503, Some("temporarily_unavailable")),
        "{}",
        answer.json
    );
}

#[test]
fn a_user_of_the_old_server_goes_on_here_and_survives_a_crash() {
    let old = OldServer::start(&[(ALICE, "alice")]);
    let site = Site::new(&old.url, "");
    let program = site.serve();
    let first = refresh(&program, ALICE);
    assert!(first.refresh_token().starts_with("rgr_"));
    assert_eq!(first.member("scope"), "openid read");
    program.kill();

    let program = site.serve();
    assert_eq!(refresh(&program, ALICE).refresh_token(), first.refresh_token(), "a retry across the crash");
    let second = refresh(&program, &first.refresh_token());
    let dead = refresh(&program, "another-token-of-nobody");
    dead.assert_invalid_grant();
    assert_eq!(dead.json["error_description"], "Invalid refresh token", "in the words of the old server");
    let asked = old.asked(3);
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert_eq!(asked[0], format!("/token.php grant_type=refresh_token&refresh_token={ALICE}"));
    refresh(&program, &second.refresh_token()).refresh_token();

    let ended = program.terminate();
    for secret in [ALICE, &format!("{ALICE}0"), "access-alice", "its&old secret", &first.refresh_token()] {
        assert!(!ended.stderr.contains(secret), "{}", ended.stderr);
    }
    assert!(ended.stderr.contains("\"outcome\":\"refused\""), "{}", ended.stderr);
}

#[test]
fn nobody_is_refused_because_the_old_server_cannot_answer() {
    let old = OldServer::start(&[(ALICE, "alice"), (BOB, "bob")]);
    let site = Site::new(&old.url, "");
    let program = site.serve();
    for manner in [Manner::Redirects, Manner::IsDown] {
        old.behave(manner);
        assert_later(&refresh(&program, ALICE));
    }
    old.behave(Manner::Answers);
    // It is left alone for as long as its `Retry-After` says.
    let answered = (0..1_000).map(|_| refresh(&program, ALICE)).find(|answer| answer.status != 503);
    answered.expect("a second passes").refresh_token();

    // What it used up while its answers were lost is lost, and that is told.
    for manner in [Manner::LosesAnswers, Manner::Floods] {
        old.behave(manner);
        assert_later(&refresh(&program, BOB));
    }
    old.behave(Manner::Answers);
    refresh(&program, BOB).assert_invalid_grant();
    program.wait_for_log("left unanswered before");
}

#[test]
fn a_client_that_gave_up_while_the_old_server_dawdled_meets_its_answer() {
    let old = OldServer::start(&[(ALICE, "alice")]);
    let site = Site::new(&old.url, "");
    let program = site.serve();
    old.behave(Manner::Dawdles);
    let url = program.url.clone();
    let form = format!("grant_type=refresh_token&refresh_token={ALICE}");
    let mut impatient = Command::new("curl");
    impatient.args(["-sS", "-u", "photos:a-secret-of-this-server-here", "-d", &form, &format!("{url}/token")]);
    let mut impatient = impatient.stdout(std::process::Stdio::null()).spawn().expect("there is curl");
    old.asked(1);
    impatient.kill().expect("it waits");
    impatient.wait().expect("it was killed");
    old.behave(Manner::Answers);
    // A stop waits for what is on its way.
    program.terminate();
    let program = site.serve();
    let first = refresh(&program, ALICE).refresh_token();
    assert_eq!(refresh(&program, ALICE).refresh_token(), first);
    assert_eq!(old.asked(2).len(), 2, "one token, one user");
}

#[test]
fn a_slip_in_the_configuration_logs_nobody_out() {
    let old = OldServer::start(&[(ALICE, "alice")]);
    let site = Site::new(&old.url, "user_claim = \"username\"\n");
    let program = site.serve();
    assert_later(&refresh(&program, ALICE));
    program.wait_for_log("cannot be taken over");
    site.configure(&old.url, "");
    program.signal("HUP");
    program.wait_for_log("read the configuration again");
    refresh(&program, ALICE).refresh_token();

    let wrong = Site::new(&format!("{}/elsewhere", old.url), "");
    let program = wrong.serve();
    assert_later(&refresh(&program, ALICE));
    program.wait_for_log("look at its address");
}

#[test]
fn the_certificates_of_the_old_server_are_checked() {
    let folder = tempfile::tempdir().expect("a test may write temporary files");
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate can be made");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("the folder is ours");
    write("tls.crt", &cert.pem());
    write("tls.key", &signing_key.serialize_pem());
    write("photos.secret", "its&old secret\n");
    write(
        "regrant.toml",
        "[server]\nissuer = \"https://old.example\"\nlisten = [\"127.0.0.1:0\"]\ndata = \"data\"\n\
         [tls]\ncertificate = \"tls.crt\"\nkey = \"tls.key\"\n\
         [[client]]\nid = \"photos-web\"\nsecret_file = \"photos.secret\"\ngrant_types = [\"refresh_token\"]\n",
    );
    let old = Program::run(&mut serving(&folder.path().join("regrant.toml")));
    let ca_file = format!("ca_file = \"{}\"\n", folder.path().join("tls.crt").display());
    for (ca_file, is_believed) in [("", false), (&*ca_file, true)] {
        let site = Site::new(&old.url, ca_file);
        let config = fs::read_to_string(site.path("regrant.toml")).expect("it was written");
        site.write("regrant.toml", &config.replace("/token.php", "/token"));
        let answer = refresh(&site.serve(), ALICE);
        if is_believed { answer.assert_invalid_grant() } else { assert_later(&answer) }
    }
}

#[test]
fn no_command_shows_the_secret_there() {
    let site = Site::new("http://127.0.0.1:9", "");
    for arguments in [&["config", "check"][..], &["config", "print", "--origin"]] {
        let output = Command::new(binary()).args(arguments).current_dir(site.folder.path()).output();
        let output = output.expect("the program starts");
        let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !told.contains("its&old secret"), "{told}");
    }
}
