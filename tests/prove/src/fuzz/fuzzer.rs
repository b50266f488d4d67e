use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// What the compiler does so that libFuzzer sees where an input leads; all of it is known to the stable compiler. Two
/// more keep the checks of a debug build.
const COMPILER_FLAGS: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "-Cdebug-assertions=on",
    "-Coverflow-checks=on",
];

/// The longest input that is tried, in bytes: longer than the longest form and the longest header block.
const INPUT_BYTES_MAX: usize = 20 * 1024;

/// How long one input may take before that counts as a fault.
const INPUT_SECONDS_MAX: usize = 10;

/// How much of an assertion is repeated in the result.
const SAID_CHARACTERS_MAX: usize = 200;

/// Where inputs are kept that broke a promise, from the root of the workspace on.
const ARTIFACTS: &str = "target/fuzz/artifacts";

/// The program of the package `regrant-fuzz`.
pub(super) struct Fuzzer {
    root: PathBuf,
    program: PathBuf,
}

/// A target as the fuzzer lists it.
pub(super) struct Target {
    pub(super) name: String,
    corpus: String,
    pub(super) is_planted: bool,
}

/// What a run said at its end.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// How many inputs were tried.
    pub(super) executions: usize,
    /// How many places of the code were reached.
    pub(super) coverage: usize,
    /// In how many ways they were reached.
    pub(super) features: usize,
    /// How many inputs are kept.
    pub(super) corpus: usize,
    /// Where the input lies that broke a promise.
    pub(super) input: Option<String>,
    /// What was said when it did.
    pub(super) broken: String,
}

impl Fuzzer {
    /// Builds the program, which takes minutes the first time.
    pub(super) fn build() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
        let folder = root.join("target/fuzz");
        let host = host()?;
        let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
            .current_dir(&root)
            .args(["build", "--quiet", "--release", "--package", "regrant-fuzz", "--features", "libfuzzer"])
            // With a target named, build scripts and macros are not instrumented.
            .args(["--target", &host, "--target-dir"])
            .arg(&folder)
            .env("CARGO_ENCODED_RUSTFLAGS", COMPILER_FLAGS.join("\x1f"))
            .status()
            .context("cargo cannot be started")?;
        if !status.success() {
            bail!("the fuzzer cannot be built; it needs a C++ compiler for libFuzzer");
        }
        let program = folder.join(host).join("release/regrant-fuzz");
        Ok(Self { root, program })
    }

    /// Every target.
    pub(super) fn targets(&self) -> Result<Vec<Target>> {
        let output = Command::new(&self.program).env("REGRANT_FUZZ_TARGET", "list").output()?;
        if !output.status.success() {
            bail!("the fuzzer does not list its targets: {}", String::from_utf8_lossy(&output.stderr));
        }
        let listing = String::from_utf8(output.stdout)?;
        let read = |line: &str| {
            let [name, corpus, kind] = line.split(' ').collect::<Vec<_>>()[..] else {
                bail!("the fuzzer lists a target as {line:?}");
            };
            Ok(Target { name: name.to_owned(), corpus: corpus.to_owned(), is_planted: kind == "planted" })
        };
        listing.lines().map(read).collect()
    }

    /// Fuzzes `target` for some seconds, or until it breaks a promise.
    pub(super) fn run(&self, target: &Target, seconds: u32, seed: u64) -> Result<Outcome> {
        let grown = self.root.join("target/fuzz/corpus").join(&target.name);
        fs::create_dir_all(self.root.join(ARTIFACTS))?;
        if target.is_planted {
            // A planted fault is to be found anew each time.
            let _ = fs::remove_dir_all(&grown);
        }
        fs::create_dir_all(&grown)?;
        let mut process = Command::new(&self.program)
            .current_dir(&self.root)
            .env("REGRANT_FUZZ_TARGET", &target.name)
            .arg(format!("-max_total_time={seconds}"))
            // 0 would mean another seed each time.
            .arg(format!("-seed={}", seed.max(1)))
            .arg(format!("-max_len={INPUT_BYTES_MAX}"))
            .arg(format!("-timeout={INPUT_SECONDS_MAX}"))
            .arg(format!("-artifact_prefix={ARTIFACTS}/{}-", target.name))
            .arg("-print_final_stats=1")
            .arg(&grown)
            .arg(self.root.join("fuzz/corpus").join(&target.corpus))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("the fuzzer cannot be started")?;
        let errors = process.stderr.take().context("standard error is a pipe")?;
        let mut outcome = Outcome::default();
        for line in BufReader::new(errors).split(b'\n') {
            outcome.read(&String::from_utf8_lossy(&line?));
        }
        if !process.wait()?.success() && outcome.input.is_none() {
            bail!("the fuzzer failed on {} and kept no input: {}", target.name, outcome.broken);
        }
        Ok(outcome)
    }
}

impl Outcome {
    /// Takes from a line of libFuzzer what it says.
    fn read(&mut self, line: &str) {
        let number = |text: &str| text.trim().parse().ok();
        if let Some(executions) = line.strip_prefix("stat::number_of_executed_units:").and_then(number) {
            self.executions = executions;
        } else if let Some((_, path)) = line.split_once("Test unit written to ") {
            self.input = Some(path.to_owned());
        } else if line.starts_with('#') {
            let words: Vec<&str> = line.split([' ', '\t', '/']).filter(|word| !word.is_empty()).collect();
            let after = |name: &str| words.iter().position(|word| *word == name).and_then(|at| words.get(at + 1));
            let value = |name: &str, before: usize| after(name).and_then(|word| number(word)).unwrap_or(before);
            self.coverage = value("cov:", self.coverage);
            self.features = value("ft:", self.features);
            self.corpus = value("corp:", self.corpus);
        } else if line.contains(" panicked at ") || self.broken.is_empty() && line.contains(" ERROR: libFuzzer") {
            line.clone_into(&mut self.broken);
        } else if self.broken.ends_with(':') {
            // The line after `panicked at …:` says what was asserted.
            let said: String = line.chars().take(SAID_CHARACTERS_MAX).collect();
            self.broken = format!("{} {said}", self.broken);
        }
    }
}

/// The platform of this machine, as the compiler calls it.
fn host() -> Result<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let output = Command::new(rustc).arg("-vV").output().context("rustc cannot be started")?;
    let version = String::from_utf8(output.stdout)?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not name its host")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libfuzzer_says_at_the_end_is_read() {
        let mut outcome = Outcome::default();
        for line in [
            "INFO: Loaded 1 modules   (28017 inline 8-bit counters): 28017 [0x1, 0x2),",
            "#17\tINITED cov: 163 ft: 222 corp: 9/553b exec/s: 0 rss: 31Mb",
            "#590\tNEW    cov: 404 ft: 1253 corp: 61/54Kb lim: 1487 exec/s: 7 rss: 30Mb L: 60/1487 MS: 1 EraseBytes-",
            "thread '<unnamed>' (2649) panicked at fuzz/src/target/head.rs:56:5:",
            "lines end in CR LF",
            "==2649== ERROR: libFuzzer: deadly signal",
            "artifact_prefix='a/head-'; Test unit written to a/head-crash-f8b9",
            "stat::number_of_executed_units: 590",
        ] {
            outcome.read(line);
        }
        let expected = Outcome {
            executions: 590,
            coverage: 404,
            features: 1253,
            corpus: 61,
            input: Some("a/head-crash-f8b9".to_owned()),
            broken: "thread '<unnamed>' (2649) panicked at fuzz/src/target/head.rs:56:5: lines end in CR LF".to_owned(),
        };
        assert_eq!(outcome, expected);
    }
}
