//! A database that is put back to an earlier day: what the program says, and what `regrant restore` makes of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::curl::{Answer, run};
use crate::program::{Program, binary, serving};

const CONFIGURATION: &str = r#"
[server]
issuer = "https://id.example"
listen = ["127.0.0.1:0"]
data = "data"
plain_http = true

[store]
mark = "elsewhere/mark"
journal = "elsewhere/journal"

[[client]]
id = "web"
secret_file = "web.secret"
grant_types = ["password", "refresh_token"]
scope = "read"

[[client]]
id = "app"
public = true
grant_types = ["password", "refresh_token"]
scope = "read"
"#;

/// The secret of the client `web`.
const SECRET: &str = "open-sesame-open-sesame";

/// A server with mark and journal on what stands for another disk, and the user alice.
struct Scene {
    folder: TempDir,
}

/// What a command has said.
struct Said {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { folder: tempfile::tempdir().expect("a test may write temporary files") };
        fs::create_dir(scene.path("elsewhere")).expect("the folder is ours");
        fs::write(scene.path("web.secret"), format!("{SECRET}\n")).expect("the folder is ours");
        fs::write(scene.path("password"), "wonderland\n").expect("the folder is ours");
        scene.configure(CONFIGURATION);
        scene.start().terminate();
        scene.types(&["user", "add", "alice", "--password-file", "password"]).ok();
        scene
    }

    fn configure(&self, text: &str) {
        fs::write(self.path("regrant.toml"), text).expect("the folder is ours");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start(&self) -> Program {
        Program::run(&mut serving(&self.path("regrant.toml")))
    }

    /// `regrant` with these arguments and the configuration.
    fn types(&self, arguments: &[&str]) -> Said {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--config", "regrant.toml"]).collect();
        self.types_bare(&arguments)
    }

    fn types_bare(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(binary());
        let output = command.args(arguments).current_dir(self.folder.path()).output().expect("the program runs");
        let text = |bytes| String::from_utf8(bytes).expect("it writes UTF-8");
        Said { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Restores the backup `copy.db` with these options.
    fn restore(&self, options: &[&str]) -> Said {
        self.types(&[&["restore", "copy.db", "--yes", "--policy"][..], options].concat())
    }

    /// Fails unless a start is refused in one line that has `expected` in it.
    #[track_caller]
    fn start_is_refused(&self, expected: &[&str]) {
        let ended = Program::spawn(&mut serving(&self.path("regrant.toml"))).wait();
        assert_eq!(ended.stdout, "");
        let said = Said { code: ended.status.code(), stdout: ended.stdout, stderr: ended.stderr };
        said.refused(expected);
    }

    /// The file of this name with its directory, as it is now.
    fn keep(&self, names: &[&str]) -> Vec<(PathBuf, Vec<u8>)> {
        names.iter().map(|name| (self.path(name), fs::read(self.path(name)).expect("the folder is ours"))).collect()
    }

    /// Puts the database of the backup in place as somebody does who knows no better.
    fn copy_back(&self) {
        for log in ["data/regrant.db-wal", "data/regrant.db-shm"] {
            let _ = fs::remove_file(self.path(log));
        }
        fs::copy(self.path("copy.db"), self.path("data/regrant.db")).expect("the folder is ours");
    }
}

impl Said {
    #[track_caller]
    fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }

    /// Fails unless the line of the doctor begins and goes on with this.
    #[track_caller]
    fn finds(&self, state_and_name: &str, found: &str) {
        let is_found = self.stdout.lines().any(|line| line.starts_with(state_and_name) && line.contains(found));
        assert!(is_found, "{state_and_name:?}: {found:?} is not in {}", self.stdout);
    }

    #[track_caller]
    fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} is not in {:?}", self.stderr);
        }
        self
    }

    /// Fails unless it is a refusal in one line. (Warnings of the log come before it.)
    #[track_caller]
    fn refused(self, parts: &[&str]) {
        assert_eq!(self.code, Some(1), "{}", self.stderr);
        let refusals = self.stderr.lines().filter(|line| line.starts_with("regrant: ")).count();
        assert_eq!((refusals, self.stderr.lines().last().is_some_and(|line| line.starts_with("regrant: "))), (1, true));
        self.says(parts);
    }
}

fn put(files: &[(PathBuf, Vec<u8>)]) {
    for (path, bytes) in files {
        fs::write(path, bytes).expect("the folder is ours");
    }
}

fn ask(url: &str, client: &str, form: &str) -> Answer {
    let proof = if client == "web" { format!("-u web:{SECRET}") } else { "-d client_id=app".to_owned() };
    run(&format!("curl {proof} {url}/token -d '{form}'"))
}

fn log_in(url: &str, client: &str) -> String {
    ask(url, client, "grant_type=password&username=alice&password=wonderland").refresh_token()
}

fn refresh(url: &str, client: &str, token: &str) -> Answer {
    ask(url, client, &format!("grant_type=refresh_token&refresh_token={token}"))
}

/// Tokens of grants before and after a backup.
struct Tokens {
    /// Of a client that authenticates: current in the backup, and the one after it.
    web: [String; 2],
    /// Of the same: not used since the backup.
    unused: String,
    /// The same, revoked after the backup: current in the backup, and the one after it.
    revoked: [String; 2],
    /// Of a public client.
    app: [String; 2],
}

impl Tokens {
    fn all(&self) -> Vec<(&'static str, &str)> {
        let Self { web, unused, revoked, app } = self;
        [("web", web), ("web", revoked), ("app", app)]
            .into_iter()
            .flat_map(|(client, [old, new])| [(client, old.as_str()), (client, new.as_str())])
            .chain([("web", unused.as_str())])
            .collect()
    }
}

/// A backup, then refreshes and a revocation.
fn use_after_backup(scene: &Scene) -> Tokens {
    let server = scene.start();
    let url = &server.url;
    let (web, unused, revoked, app) = (log_in(url, "web"), log_in(url, "web"), log_in(url, "web"), log_in(url, "app"));
    scene.types(&["backup", "copy.db"]).ok();
    let next = |client: &str, token: String| {
        let successor = refresh(url, client, &token).refresh_token();
        [token, successor]
    };
    let tokens = Tokens { web: next("web", web), unused, revoked: next("web", revoked), app: next("app", app) };
    let answer = run(&format!("curl -u web:{SECRET} {url}/revoke -d token={}", tokens.revoked[1]));
    assert_eq!(answer.status, 200);
    assert!(server.terminate().status.success());
    tokens
}

#[test]
fn by_strict_every_older_token_is_dead_and_by_recover_who_proves_itself_goes_on() {
    for (policy, accepts_web, accepts_app_ahead) in [
        (&["strict"][..], false, false),
        (&["recover", "--for", "2h"], true, false),
        (&["recover", "--recover-public", "accept_ahead"], true, true),
    ] {
        let scene = Scene::new();
        let tokens = use_after_backup(&scene);
        scene.copy_back();
        scene.start_is_refused(&["is not what it was", "run `regrant restore`"]);
        let said =
            scene.restore(policy).ok().says(&["restored: epoch 2 begins", "with what ended since by the journal (1)"]);
        said.says(&["What was in place is now", "regrant.db.before-epoch-2", "Start the server"]);

        let server = scene.start();
        // A thief has every token and no secret; the owners come after him.
        for (_, token) in tokens.all() {
            if !accepts_app_ahead {
                assert_ne!(refresh(&server.url, "app", token).status, 200, "{policy:?}");
            }
        }
        for token in &tokens.revoked {
            refresh(&server.url, "web", token).assert_invalid_grant();
        }
        refresh(&server.url, "app", &tokens.app[0]).assert_invalid_grant();
        for (client, token, is_accepted) in [
            ("web", &tokens.web[1], accepts_web),
            ("web", &tokens.unused, accepts_web),
            ("app", &tokens.app[1], accepts_app_ahead),
        ] {
            let answer = refresh(&server.url, client, token);
            if !is_accepted {
                answer.assert_invalid_grant();
                continue;
            }
            let successor = answer.refresh_token();
            assert_eq!(refresh(&server.url, client, token).refresh_token(), successor, "its answer was lost");
            refresh(&server.url, client, &successor).refresh_token();
        }
        let token = log_in(&server.url, "app");
        refresh(&server.url, "app", &token).refresh_token();
        assert!(server.terminate().status.success());
        scene.start().terminate();
    }
}

#[test]
fn each_way_in_which_something_was_put_back_is_told_at_the_start() {
    let scene = Scene::new();
    let then = scene.keep(&["elsewhere/mark", "elsewhere/journal"]);
    use_after_backup(&scene);
    // A journal that is ahead by one commit is what a crash leaves.
    scene.types(&["user", "lock", "alice"]).ok();
    let now = scene.keep(&["data/regrant.db", "elsewhere/mark", "elsewhere/journal"]);
    let restore_me = "run `regrant restore`";

    scene.copy_back();
    scene.start_is_refused(&[
        "the high-water mark says that it had come to ",
        " of epoch 1, and it is at ",
        restore_me,
    ]);
    fs::remove_file(scene.path("elsewhere/mark")).unwrap();
    scene.start_is_refused(&["the journal was written when it had come to ", " of epoch 1, and it is at ", restore_me]);

    put(&now);
    put(&then[1..]);
    scene.start_is_refused(&[
        "the journal ends with record 1, and the database has record 3",
        "put the newer journal back",
    ]);

    put(&now);
    let text = fs::read_to_string(scene.path("elsewhere/journal")).unwrap();
    let spoiled: Vec<_> = text.lines().filter(|line| !line.starts_with("1 ")).collect();
    fs::write(scene.path("elsewhere/journal"), spoiled.join("\n") + "\n").unwrap();
    scene.start_is_refused(&["journal is damaged between its records 0 and 2: put it back from a copy"]);
    fs::write(scene.path("elsewhere/journal"), "a letter\n").unwrap();
    scene.start_is_refused(&["is no revocation journal, or its first line is damaged"]);

    put(&now);
    fs::write(scene.path("elsewhere/mark"), "a letter\n").unwrap();
    scene.start_is_refused(&["is no high-water mark, or is damaged"]);

    put(&now);
    fs::write(scene.path("data/regrant.db.restoring"), "half").unwrap();
    scene.start_is_refused(&["is what a restore has left that was broken off; run `regrant restore` again"]);
    fs::remove_file(scene.path("data/regrant.db.restoring")).unwrap();

    let gone = scene.path("data/regrant.db");
    for bytes in [None, Some("")] {
        fs::remove_file(&gone).unwrap();
        bytes.into_iter().for_each(|bytes| fs::write(&gone, bytes).unwrap());
        let _ = fs::set_permissions(&gone, fs::Permissions::from_mode(0o600));
        scene.start_is_refused(&["there is no store in", "or a backup of it with `regrant restore BACKUP`"]);
        fs::write(&gone, "").unwrap();
    }
    // A directory from before it said which store is its own.
    fs::remove_file(scene.path("data/store")).unwrap();
    scene.start_is_refused(&["regrant.db is missing or empty, and", "restore a backup with `regrant restore`"]);

    let other = Scene::new();
    for (file, name) in
        [("elsewhere/mark", "the high-water mark of another store"), ("elsewhere/journal", "the journal of another")]
    {
        put(&now);
        fs::copy(other.path(file), scene.path(file)).unwrap();
        scene.start_is_refused(&[name, "name that of this one in store."]);
    }

    put(&now);
    scene.start().terminate();
}

#[test]
fn where_mark_and_journal_were_put_back_too_the_first_token_that_is_ahead_stops_the_store() {
    let scene = Scene::new();
    let server = scene.start();
    let [first, other] = [log_in(&server.url, "web"), log_in(&server.url, "web")];
    server.terminate();
    let then = scene.keep(&["data/regrant.db", "elsewhere/mark", "elsewhere/journal"]);
    let server = scene.start();
    let second = refresh(&server.url, "web", &first).refresh_token();
    let third = refresh(&server.url, "web", &second).refresh_token();
    server.terminate();
    put(&then);

    let server = scene.start();
    refresh(&server.url, "web", &first).refresh_token();
    for token in [&third, &second, &other] {
        let answer = refresh(&server.url, "web", token);
        assert_eq!((answer.status, answer.json["error"].as_str()), (503, Some("temporarily_unavailable")));
    }
    server.wait_for_log("a token is ahead of its row");
    server.terminate();
    scene.start_is_refused(&["it was presented a token that is ahead of its row", "run `regrant restore`"]);

    scene.types(&["restore", "--yes", "--policy", "recover"]).ok().says(&["epoch 2 begins"]);
    let server = scene.start();
    refresh(&server.url, "web", &third).refresh_token();
    refresh(&server.url, "web", &other).refresh_token();
}

#[test]
fn what_cannot_be_restored_is_refused_in_one_line_and_leaves_what_was_there() {
    let scene = Scene::new();
    use_after_backup(&scene);
    let server = scene.start();
    scene.restore(&["strict"]).refused(&["a server has ", "data open; stop it, and run this again"]);
    server.terminate();
    let before = scene.keep(&["data/regrant.db", "data/master.key", "elsewhere/mark", "elsewhere/journal"]);
    let refused = |arguments: &[&str], expected: &[&str]| {
        scene.types(&[&["restore", "--policy", "strict"][..], arguments].concat()).refused(expected);
        for (path, bytes) in &before {
            assert!(fs::read(path).unwrap() == *bytes, "{}", path.display());
        }
        assert!(!scene.path("data/regrant.db.restoring").exists());
    };

    refused(&["copy.db"], &["every token is dead and everybody logs in again?", "say --yes"]);
    refused(&["nothing.db", "--yes"], &["nothing.db cannot be opened"]);
    fs::write(scene.path("letter"), "this is a letter, and no database at all").unwrap();
    refused(&["letter", "--yes"], &["letter is not a store of regrant"]);
    let mut torn = fs::read(scene.path("copy.db")).unwrap();
    let middle = torn.len() / 2;
    torn[middle..].fill(0);
    fs::write(scene.path("torn.db"), torn).unwrap();
    refused(&["torn.db", "--yes"], &["torn.db", "damaged"]);
    let other = Scene::new();
    other.types(&["backup", "copy.db"]).ok();
    fs::copy(other.path("copy.db"), scene.path("other.db")).unwrap();
    refused(&["other.db", "--yes"], &["this is a backup of another store than", "name a backup of this one"]);
    put(&[(scene.path("data/master.key"), fs::read(other.path("data/master.key")).unwrap())]);
    scene.restore(&["strict"]).refused(&["is not the one in the key file", "put the key file of this store"]);
    put(&before);

    // The mark is where it always is, and nobody says where the journal is.
    fs::copy(scene.path("elsewhere/mark"), scene.path("data/high-water.mark")).unwrap();
    let bare = ["restore", "copy.db", "--policy", "strict", "--yes", "--data", "data"];
    scene.types_bare(&bare).refused(&["the store has a revocation journal", "--config FILE", "--without-journal"]);
    // Nor would it be in the journal what a command ends that no server answers.
    let offline = ["client", "disable", "web", "--data", "data"];
    scene.types_bare(&offline).refused(&["has a revocation journal", "--config FILE"]);

    let journal = scene.path("elsewhere/journal");
    fs::rename(&journal, scene.path("elsewhere/old")).unwrap();
    scene.restore(&["strict"]).refused(&["journal is not there", "--without-journal"]);
    scene.start().terminate();
    scene
        .restore(&["strict"])
        .refused(&["the journal begins after record 2, and the backup has the records up to 1 only"]);
    scene.restore(&["strict", "--without-journal"]).ok().says(&["epoch 2 begins"]);
}

#[test]
fn the_doctor_misses_a_journal_and_begins_none() {
    let scene = Scene::new();
    let program = scene.start();
    log_in(&program.url, "app");
    program.terminate();
    // On this machine all is on one disk.
    scene.types(&["doctor"]).ok().finds("warn  journal", "is on the disk of the database");
    let journal = scene.path("elsewhere/journal");
    fs::rename(&journal, scene.path("elsewhere/old")).unwrap();
    scene
        .types(&["doctor"])
        .says(&["1 check failed"])
        .finds("fail  journal", "journal is not there, and the store has one");
    assert!(!journal.exists());
    fs::rename(scene.path("elsewhere/old"), &journal).unwrap();
    scene.configure(&CONFIGURATION.replace("journal =", "#"));
    scene.types(&["doctor"]).finds("fail  journal", "the configuration names none");
}

#[test]
fn what_a_restore_is_told_is_checked_before_anything_is_done() {
    let scene = Scene::new();
    for (arguments, expected) in [
        (&[][..], &["--policy <POLICY>"][..]),
        (&["--policy", "lenient"], &["invalid value 'lenient'", "strict, recover"]),
        (&["--policy", "recover", "--for", "24"], &["write a number and s, m, h or d, as in 24h"]),
        (&["--policy", "recover", "--for", "0s"], &["it is between 1s and 30d"]),
        (&["--policy", "recover", "--for", "31d"], &["it is between 1s and 30d"]),
        (&["--policy", "recover", "--recover-public", "all"], &["invalid value 'all'", "log_in_again, accept_ahead"]),
        (&["--policy", "strict", "--for", "1h"], &["--for", "recover"]),
        (&["--policy", "strict", "--recover-public", "accept_ahead"], &["--recover-public", "recover"]),
    ] {
        let said = scene.types(&[&["restore", "copy.db", "--yes"][..], arguments].concat());
        assert_ne!(said.code, Some(0), "{arguments:?}");
        said.says(expected);
    }
    let empty = Scene::new();
    fs::remove_file(empty.path("data/regrant.db")).unwrap();
    empty.types(&["restore", "--yes", "--policy", "strict"]).refused(&["name the backup: regrant restore BACKUP"]);
}

#[test]
fn a_restore_that_was_broken_off_is_done_again() {
    let scene = Scene::new();
    let tokens = use_after_backup(&scene);
    // What is left when it is killed between the two renames.
    fs::rename(scene.path("data/regrant.db"), scene.path("data/regrant.db.before-epoch-2")).unwrap();
    fs::write(scene.path("data/regrant.db.restoring"), "half").unwrap();
    scene.start_is_refused(&["run `regrant restore` again"]);
    scene.restore(&["recover"]).ok().says(&["epoch 2 begins"]);
    let server = scene.start();
    refresh(&server.url, "web", &tokens.web[1]).refresh_token();
    refresh(&server.url, "web", &tokens.revoked[1]).assert_invalid_grant();
    server.terminate();

    // Killed after the journal was told of the epoch: the database that is in place does not serve.
    let scene = Scene::new();
    let tokens = use_after_backup(&scene);
    let before = scene.keep(&["data/regrant.db", "elsewhere/mark"]);
    scene.restore(&["recover"]).ok();
    put(&before);
    scene.start_is_refused(&[
        "the journal was written when it had come to ",
        " of epoch 2, and it is at ",
        "run `regrant restore`",
    ]);
    scene.restore(&["recover"]).ok().says(&["epoch 3 begins"]);
    let server = scene.start();
    refresh(&server.url, "web", &tokens.web[1]).refresh_token();
    refresh(&server.url, "web", &tokens.revoked[1]).assert_invalid_grant();
}

#[test]
fn serve_says_what_lies_on_the_disk_of_the_database() {
    let scene = Scene::new();
    let server = scene.start();
    server.wait_for_log("on the same file system as the database, and lost with it; keep copies elsewhere");
    assert!(Path::new(&scene.path("elsewhere/mark")).exists());
}
