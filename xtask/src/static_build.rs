//! `cargo xtask static`: the program as one file that needs no library of the system, built and tried.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::apt;
use crate::cargo::cargo;

/// Builds the program and tries it.
pub(crate) fn run() -> Result<(), String> {
    let program = build(None)?;
    let bytes = fs::read(&program).map_err(|error| format!("cannot read {}: {error}", program.display()))?;
    if needs_a_loader(&bytes)? {
        return Err(format!("{} needs a dynamic loader, so it is not static", program.display()));
    }
    try_alone(&program)?;
    println!("{}: {:.1} MB, needs nothing else", program.display(), bytes.len() as f64 / 1e6);
    Ok(())
}

/// Builds with musl where the toolchain has it, else with the static half of glibc, and with features where some are named, after commas.
/// Where the program lies.
pub(crate) fn build(features: Option<&str>) -> Result<PathBuf, String> {
    let host = host()?;
    let musl = host.replace("-gnu", "-musl");
    let features = features.map(|features| format!(" --features {features}")).unwrap_or_default();
    let program = "--release --package regrant-server --bin regrant";
    let folder = if has_target(&musl)? {
        cargo(&format!("build {program} --target {musl}{features}"))?;
        Path::new(&musl).join("release")
    } else {
        // Only the program itself is linked otherwise: what it depends on is that of every other release build.
        cargo(&format!("rustc {program}{features} -- -Ctarget-feature=+crt-static"))?;
        PathBuf::from("release")
    };
    let targets = env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    Ok(targets.join(folder).join("regrant"))
}

/// The target that rustc builds for when it is told none, such as `x86_64-unknown-linux-gnu`.
fn host() -> Result<String, String> {
    let told = rustc(&["-vV"])?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| format!("rustc -vV names no host: {told}"))
}

/// Whether the standard library for a target is installed.
fn has_target(target: &str) -> Result<bool, String> {
    Ok(Path::new(rustc(&["--print", "target-libdir", "--target", target])?.trim()).is_dir())
}

fn rustc(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("rustc").args(arguments).output();
    let output = output.map_err(|error| format!("rustc cannot be started: {error}"))?;
    String::from_utf8(output.stdout).map_err(|error| format!("rustc {arguments:?} wrote no text: {error}"))
}

/// The type of the program header that names a loader (ELF, `PT_INTERP`).
const LOADER: u32 = 3;

/// Whether a 64-bit ELF file asks for a dynamic loader.
fn needs_a_loader(elf: &[u8]) -> Result<bool, String> {
    let number = |at: usize, bytes: usize| {
        let bytes = elf.get(at..at + bytes).ok_or("the program is no ELF file of 64 bits")?;
        Ok::<_, String>(bytes.iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte)))
    };
    if elf.get(..5) != Some(b"\x7fELF\x02") {
        return Err("the program is no ELF file of 64 bits".to_owned());
    }
    let (offset, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    for header in 0..count {
        if number(offset + header * size, 4)? == LOADER as usize {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Runs the program in a folder with nothing else in it, which root can make its whole world, and logs in.
fn try_alone(program: &Path) -> Result<(), String> {
    let folder = env::temp_dir().join(format!("regrant-static-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let tried = copy(program, &folder).and_then(|copy| log_in(&folder, &copy));
    fs::remove_dir_all(&folder).map_err(|error| format!("cannot remove {}: {error}", folder.display()))?;
    tried
}

fn copy(program: &Path, folder: &Path) -> Result<PathBuf, String> {
    let copy = folder.join("regrant");
    fs::copy(program, &copy).map_err(|error| format!("cannot copy the program to {}: {error}", copy.display()))?;
    Ok(copy)
}

fn log_in(folder: &Path, program: &Path) -> Result<(), String> {
    let mut command = if apt::is_root()? {
        let mut chroot = Command::new("chroot");
        chroot.arg(folder).arg("/regrant");
        chroot
    } else {
        let mut alone = Command::new(program);
        alone.current_dir(folder);
        alone
    };
    command.args(["dev", "--no-tour", "--listen", "127.0.0.1:0", "--data", "data"]).env_clear();
    command.env("PATH", env::var_os("PATH").unwrap_or_default());
    let child = command.stdout(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| format!("the static program cannot be started: {error}"))?;
    let answer = ask(&mut child);
    let ended = child.kill().and_then(|()| child.wait());
    ended.map_err(|error| format!("the static program cannot be ended: {error}"))?;
    let answer = answer.map_err(|error| format!("the static program does not answer: {error}"))?;
    if answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"refresh_token\":\"rgr_") {
        Ok(())
    } else {
        Err(format!("the static program logs nobody in: {answer}"))
    }
}

/// A request for tokens with the demo client and user, and its answer.
fn ask(child: &mut Child) -> std::io::Result<String> {
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line)?;
    let address = line.trim().trim_start_matches("listening on http://");
    let body = "grant_type=password&client_id=TestClient&client_secret=TestSecret&username=bshaffer&password=brent123";
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "POST /token HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The start of an ELF file with one program header.
    fn elf(header: u8) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 56];
        bytes[..5].copy_from_slice(b"\x7fELF\x02");
        (bytes[32], bytes[54], bytes[56], bytes[64]) = (64, 56, 1, header);
        bytes
    }

    #[test]
    fn a_program_that_asks_for_a_loader_is_told_from_one_that_does_not() {
        assert_eq!(needs_a_loader(&elf(3)), Ok(true));
        assert_eq!(needs_a_loader(&elf(1)), Ok(false));
        let this = fs::read(env::current_exe().unwrap()).unwrap();
        assert_eq!(needs_a_loader(&this), Ok(true), "tests are linked dynamically");
        assert!(needs_a_loader(b"#!/bin/sh\n").is_err());
        assert!(needs_a_loader(&elf(3)[..64]).is_err());
    }
}
