//! Hands one target to libFuzzer: `REGRANT_FUZZ_TARGET=head regrant-fuzz -max_total_time=60 corpus/head`.
//!
//! The arguments are libFuzzer's own. `cargo xtask prove fuzz` builds it with the flags that count coverage, and runs it.
//! `REGRANT_FUZZ_TARGET=list` prints every target instead, one per line: its name, its corpus, and `sound` or `planted`.

#![no_main]

use std::env;
use std::process;
use std::sync::OnceLock;

use regrant_fuzz::{TARGETS, Target};

static TARGET: OnceLock<&Target> = OnceLock::new();

libfuzzer_sys::fuzz_target!(init: TARGET.get_or_init(chosen), |data: &[u8]| (TARGET.get_or_init(chosen).run)(data));

fn chosen() -> &'static Target {
    let name = env::var("REGRANT_FUZZ_TARGET").unwrap_or_default();
    if name == "list" {
        list();
        process::exit(0);
    }
    TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| {
        eprintln!("REGRANT_FUZZ_TARGET is {name:?}; set it to `list` or to one of what that prints");
        process::exit(2);
    })
}

fn list() {
    for target in TARGETS {
        let kind = if target.is_planted { "planted" } else { "sound" };
        println!("{} {} {kind}", target.name, target.corpus());
    }
}
