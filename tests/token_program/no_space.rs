//! A home that cannot be written, and a disk that is full: file systems of their own, where this machine lets a test make some.

use std::fs;
use std::process::Command;

use crate::desk::{Desk, Ended, ended};
use crate::program::neighbour;

#[test]
fn a_home_that_cannot_be_written_is_told_before_anybody_is_troubled() {
    let desk = Desk::new();
    let arguments = ["login", &desk.server.url, "--client-id", "TestApp", "--print-url"];
    let no_directory = ended(desk.command(&arguments).env("HOME", "/dev/null"), "");
    assert!(no_directory.code == 1 && no_directory.stderr.contains("Not a directory"), "{no_directory:?}");

    let mount = "mount -t tmpfs -o ro tmpfs";
    let Some(read_only) = mounted(&desk, mount, &arguments.join(" ")) else { return };
    assert!(read_only.code == 1 && read_only.stderr.contains("Read-only file system"), "{read_only:?}");
    assert!(!read_only.stderr.contains("/authorize?"), "{read_only:?}");
}

#[test]
fn on_a_disk_that_cannot_be_written_a_valid_token_is_given_and_an_old_one_is_kept() {
    let desk = Desk::logged_in();
    let token = desk.token(&[]);
    let state = desk.file("tokens").parent().unwrap().to_owned();
    // What is there is copied onto a disk with not one page left.
    let filled = format!(
        "cp -r {0} /proc/self/cwd/kept && mount -t tmpfs -o size=64k,mode=700 tmpfs {0} && cp -r kept/. {0}/ && chmod -R go= {0} && \
         cat /dev/zero > {0}/ballast 2>/dev/null; true",
        state.display()
    );
    let Some(valid) = in_namespace(&desk, &filled, "get") else { return };
    assert_eq!((valid.code, valid.stdout.trim()), (0, token.as_str()), "{valid:?}");

    fs::remove_dir_all(desk.home().join("kept")).unwrap();
    desk.let_time_pass();
    let full = in_namespace(&desk, &filled, "get").expect("it was possible a moment ago");
    assert!(full.code == 1 && full.stderr.contains("No space left"), "{full:?}");
    assert_eq!(full.stdout, "");
    fs::remove_dir_all(desk.home().join("kept")).unwrap();
    let login = in_namespace(&desk, &filled, "login --print-url").expect("it was possible a moment ago");
    assert!(login.code == 1 && login.stderr.contains("No space left"), "{login:?}");
    assert!(!login.stderr.contains("/authorize?"), "nobody is troubled in vain: {login:?}");
    // Elsewhere the session goes on: the refresh token was not even sent.
    assert!(desk.is_good(&desk.token(&[])));
}

/// Runs the program with an empty file system over its home; nothing where no test may mount one.
fn mounted(desk: &Desk, mount: &str, arguments: &str) -> Option<Ended> {
    in_namespace(desk, &format!("{mount} {}", desk.home().display()), arguments)
}

/// Runs the program after a script, in a namespace of mounts of its own; nothing where there can be none.
fn in_namespace(desk: &Desk, script: &str, arguments: &str) -> Option<Ended> {
    let mut command = Command::new("unshare");
    let line = format!("{{ {script}; }} || exit 99; exec {} {arguments}", neighbour("regrant-token").display());
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &line]).current_dir(desk.home());
    desk.at_home(&mut command);
    let probe = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"])
        .output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        println!("this machine lets no test mount a file system: a full disk and a read-only home were not tried");
        return None;
    }
    Some(ended(&mut command, ""))
}
