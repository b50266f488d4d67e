//! Every file of the corpus through its target, and through the planted fault of that target where there is one.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use regrant_fuzz::{TARGETS, Target};

#[test]
fn every_promise_holds_on_every_file_of_the_corpus() {
    for target in TARGETS.iter().filter(|target| !target.is_planted) {
        let files = corpus(target);
        assert!(!files.is_empty(), "{} has files to begin with", target.name);
        for file in files {
            let data = fs::read(&file).expect("a file of the corpus can be read");
            let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(&data)));
            assert!(outcome.is_ok(), "{} breaks a promise: {}", target.name, file.display());
        }
    }
}

#[test]
fn a_planted_fault_is_not_found_in_the_corpus_already() {
    for target in TARGETS.iter().filter(|target| target.is_planted) {
        for file in corpus(target) {
            let data = fs::read(&file).expect("a file of the corpus can be read");
            (target.run)(&data);
        }
    }
}

#[test]
fn every_folder_of_the_corpus_has_its_target() {
    let names: Vec<&str> = TARGETS.iter().map(Target::corpus).collect();
    for folder in list(&Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")) {
        let name = folder.file_name().expect("a folder has a name").to_string_lossy().into_owned();
        assert!(names.contains(&name.as_str()), "{name} is the corpus of no target");
    }
}

fn corpus(target: &Target) -> Vec<PathBuf> {
    list(&Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.corpus()))
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry can be read").path()).collect();
    paths.sort();
    paths
}
