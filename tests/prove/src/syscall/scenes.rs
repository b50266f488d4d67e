use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use regrant_protocol::{Clock, SystemClock};

use crate::dev_server::{Answer, DevServer, arguments, program};
use crate::report::{Entry, Report};

/// How large the file system is that runs full, in bytes.
const SMALL_DISK_BYTES: u64 = 1024 * 1024;

/// How long after space is back a refresh is answered again, in seconds.
const RECOVERY_SECONDS_MAX: u64 = 5;

/// How many refreshes are tried until one is refused.
const REFRESHES_MAX: usize = 2_000;

/// Something that is done to the real program.
struct Scene {
    name: &'static str,
    play: fn(&Path) -> Result<()>,
    /// Whether it needs a file system of its own.
    mounts: bool,
}

const SCENES: &[Scene] = &[
    Scene { name: "a_failed_sync_stops_the_store_until_the_next_start", play: failed_sync, mounts: false },
    Scene { name: "a_disk_that_becomes_read_only_is_503", play: read_only_later, mounts: false },
    Scene { name: "a_full_disk_is_503_and_recovers", play: full_disk, mounts: true },
    Scene { name: "a_full_disk_refuses_the_first_start", play: full_disk_at_start, mounts: true },
    Scene { name: "a_read_only_disk_refuses_the_start", play: read_only_at_start, mounts: true },
];

/// Plays every scene, each in a folder of its own.
pub(crate) fn run(only: &str, report: &mut Report) -> Result<()> {
    for scene in SCENES.iter().filter(|scene| scene.name.contains(only)) {
        let mut entry = Entry::begin("syscall", scene.name);
        let folder = tempfile::tempdir().context("a proof may write temporary files")?;
        if scene.mounts && SmallDisk::mount(&folder.path().join("probe")).is_err() {
            entry.add("not_played", "file systems cannot be mounted here");
            report.close(entry, 0, 0);
            continue;
        }
        let played = (scene.play)(folder.path());
        if let Err(problem) = &played {
            entry.add("found", format!("{problem:#}"));
        }
        report.close(entry, 1, usize::from(played.is_err()));
    }
    Ok(())
}

/// docs/operations/data-directory.md: after a failed sync everything is 503 until the process is started again.
fn failed_sync(folder: &Path) -> Result<()> {
    let (data, token) = made(folder)?;
    // The first commits of a process sync the log twice and once; then none is synced any more.
    let program = disturbed(&data, "fdatasync:error=EIO:when=4+")?;
    let (token, refused) = refresh_until_refused(&program, token)?;
    ensure!(refused.is_unavailable(), "the first refused refresh: {refused:?}");
    for _ in 0..3 {
        let answer = program.refresh(&token)?;
        ensure!(answer.is_unavailable(), "a refresh after a failed sync: {answer:?}");
    }
    ensure!(program.jwks()?.status == 200, "the public keys need no store");
    drop(program);
    refreshes_again(&data, &token)
}

fn read_only_later(folder: &Path) -> Result<()> {
    let (data, token) = made(folder)?;
    let program = disturbed(&data, "pwrite64:error=EROFS:when=12+")?;
    let (token, refused) = refresh_until_refused(&program, token)?;
    ensure!(refused.is_unavailable(), "the first refused refresh: {refused:?}");
    ensure!(program.jwks()?.status == 200, "the public keys need no store");
    drop(program);
    refreshes_again(&data, &token)
}

fn full_disk(folder: &Path) -> Result<()> {
    let disk = SmallDisk::mount(&folder.join("disk"))?;
    let data = disk.path.join("data");
    let program = DevServer::start(&data)?;
    let token = program.log_in()?;
    let ballast = disk.fill()?;
    let (token, refused) = refresh_until_refused(&program, token)?;
    ensure!(refused.is_unavailable(), "a refresh on a full disk: {refused:?}");
    ensure!(program.jwks()?.status == 200, "the public keys need no disk");
    ensure!(program.refresh(&token)?.is_unavailable(), "a second refresh on a full disk");

    fs::remove_file(ballast)?;
    let clock = SystemClock;
    let since = clock.monotonic();
    let token = loop {
        let answer = program.refresh(&token)?;
        match answer.refresh_token() {
            Some(next) => break next,
            None if clock.monotonic() - since > Duration::from_secs(RECOVERY_SECONDS_MAX) => {
                bail!("{RECOVERY_SECONDS_MAX} s after space came back: {answer:?}")
            }
            None => ensure!(answer.is_unavailable(), "while space comes back: {answer:?}"),
        }
    };
    drop(program);
    refreshes_again(&data, &token)
}

fn full_disk_at_start(folder: &Path) -> Result<()> {
    let disk = SmallDisk::mount(&folder.join("disk"))?;
    let data = disk.path.join("data");
    fs::create_dir(&data)?;
    fs::set_permissions(&data, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    let ballast = disk.fill()?;
    let told = refused_start(&data)?;
    ensure!(told.contains(&*data.to_string_lossy()), "it does not name the file: {told}");
    fs::remove_file(ballast)?;
    let program = DevServer::start(&data).context("after space came back")?;
    program.log_in().map(drop)
}

fn read_only_at_start(folder: &Path) -> Result<()> {
    let disk = SmallDisk::mount(&folder.join("disk"))?;
    let (data, token) = made(&disk.path)?;
    disk.remount("ro")?;
    let told = refused_start(&data)?;
    ensure!(told.contains(&*data.to_string_lossy()), "it does not name the file: {told}");
    disk.remount("rw")?;
    refreshes_again(&data, &token)
}

/// A data directory with one grant, and its refresh token.
fn made(folder: &Path) -> Result<(PathBuf, String)> {
    let data = folder.join("data");
    let program = DevServer::start(&data)?;
    let token = program.log_in()?;
    Ok((data, token))
}

/// A server whose calls on the write-ahead log fail.
fn disturbed(data: &Path, injection: &str) -> Result<DevServer> {
    let mut command = Command::new("strace");
    // strace passes a signal on only while it waits, and with `-o` not even then unless it is told to.
    command
        .args(["-f", "--seccomp-bpf", "-I", "waiting", "-qq", "-o", "/dev/null", "-P"])
        .arg(data.join("regrant.db-wal"));
    command.args(["-e", &format!("inject={injection}"), "--"]).arg(program()?).args(arguments(data));
    DevServer::start_command(command)
}

/// The last token that was received, and the answer that gave none.
fn refresh_until_refused(program: &DevServer, mut token: String) -> Result<(String, Answer)> {
    for _ in 0..REFRESHES_MAX {
        let answer = program.refresh(&token)?;
        match answer.refresh_token() {
            Some(next) => token = next,
            None => return Ok((token, answer)),
        }
    }
    bail!("{REFRESHES_MAX} refreshes, and none was refused")
}

/// The token that was received last is good after a start on a sound disk.
fn refreshes_again(data: &Path, token: &str) -> Result<()> {
    let program = DevServer::start(data).context("on a sound disk")?;
    let answer = program.refresh(token)?;
    answer.refresh_token().with_context(|| format!("the token that was received last: {answer:?}"))?;
    Ok(())
}

/// What the program says when it does not start.
fn refused_start(data: &Path) -> Result<String> {
    match DevServer::start(data) {
        Ok(_) => bail!("it started"),
        Err(told) => Ok(format!("{told:#}")),
    }
}

/// A file system in memory; dropping it unmounts it.
struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    fn mount(path: &Path) -> Result<Self> {
        fs::create_dir_all(path)?;
        let options = format!("size={SMALL_DISK_BYTES}");
        run_quietly(Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(path))?;
        Ok(Self { path: path.to_owned() })
    }

    fn remount(&self, mode: &str) -> Result<()> {
        run_quietly(Command::new("mount").args(["-o", &format!("remount,{mode}")]).arg(&self.path))
    }

    /// Leaves no byte free, in a file that can be removed.
    fn fill(&self) -> Result<PathBuf> {
        let path = self.path.join("ballast");
        let mut file = OpenOptions::new().create_new(true).write(true).open(&path)?;
        let mut piece = 4096;
        while piece > 0 {
            // What fits of a piece is kept when the rest does not.
            if file.write_all(&vec![0; piece]).is_err() {
                piece /= 2;
            }
        }
        Ok(path)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = run_quietly(Command::new("umount").arg(&self.path));
    }
}

fn run_quietly(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
