//! `cargo xtask ci`: what every change must pass.

use crate::cargo::{cargo, cargo_with};
use crate::stage::{self, Stage};
use crate::{bench, prove, static_build, test, words};

/// Runs [`STAGES`], and fails at the first that fails.
pub(crate) fn run() -> Result<(), String> {
    stage::run(STAGES)
}

/// The stages in the order they run; the tests come first, since they say most about a change.
const STAGES: &[Stage] = &[
    Stage::new("test", test::run),
    Stage::new("format", format),
    Stage::new("clippy", clippy),
    Stage::new("telemetry", telemetry),
    Stage::new("docs", || cargo_with("doc --workspace --no-deps", "RUSTDOCFLAGS", "-Dwarnings")),
    Stage::new("words", words::run),
    Stage::new("static", static_build::run),
    Stage::new("instructions", || bench::run(&["instructions"])),
    Stage::new("prove model", || prove::run(&["model", "--scale", "ci"])),
    Stage::new("prove restore", || prove::run(&["restore", "--scale", "ci"])),
    Stage::new("prove restore on PostgreSQL", || prove::run(&["restore", "--store", "postgres", "--scale", "ci"])),
    Stage::new("prove race", || prove::run(&["race", "--scale", "ci"])),
    Stage::new("prove race on PostgreSQL", || prove::run(&["race", "--store", "postgres", "--scale", "ci"])),
    Stage::new("prove history", || prove::run(&["history", "--scale", "ci"])),
    Stage::new("prove crash", || prove::run(&["crash", "--scale", "ci"])),
    Stage::new("prove crash on PostgreSQL", || prove::run(&["crash", "--store", "postgres", "--scale", "ci"])),
    Stage::new("prove failover", || prove::run(&["failover", "--store", "postgres", "--scale", "ci"])),
    Stage::new("prove cut", || prove::run(&["cut", "--store", "postgres", "--scale", "ci"])),
    Stage::new("prove power", || prove::run(&["power", "--scale", "ci"])),
    Stage::new("prove syscall", || prove::run(&["syscall", "--scale", "ci"])),
    Stage::new("prove clock", || prove::run(&["clock", "--scale", "ci"])),
    Stage::new("prove damage", || prove::run(&["damage", "--scale", "ci"])),
    Stage::new("prove import", || prove::run(&["import", "--scale", "ci"])),
    Stage::new("prove client", || prove::run(&["client", "--scale", "ci"])),
    Stage::new("prove fuzz", || prove::run(&["fuzz", "--scale", "ci"])),
];

/// What nobody has who asks for no feature, then everything: the features of the proofs change code that is in no other build.
///
/// The whole workspace both times: a package alone would check what it depends on once more, with fewer features.
fn clippy() -> Result<(), String> {
    cargo(&format!("clippy --workspace --all-targets --features {} -- -D warnings", test::FEATURES))?;
    let every = [test::FEATURES, FEATURES_OF_PROOFS, TELEMETRY].join(",");
    cargo(&format!("clippy --workspace --all-targets --features {every} -- -D warnings"))
}

const FEATURES_OF_PROOFS: &str = "regrant-server/failpoints,regrant-server/planted-faults,regrant-prove/planted-faults";
const TELEMETRY: &str = "regrant-server/opentelemetry";

/// What only the feature for OpenTelemetry has.
fn telemetry() -> Result<(), String> {
    cargo(&format!("test --workspace --features {},{TELEMETRY} --test telemetry", test::FEATURES))
}

/// The client in Rust is a workspace of its own.
fn format() -> Result<(), String> {
    cargo("fmt --all --check")?;
    cargo("fmt --check --manifest-path tests/clients/rust/Cargo.toml")
}
