//! Which of our crates may use which, and what each of them must not know.

use crate::assert_none;
use crate::workspace::{self, Package};

/// A crate of ours and its arrows.
struct Crate {
    name: &'static str,
    may_use: &'static [&'static str],
    must_not_know: &'static str,
}

/// Every crate, the planned ones too: an entry may be ahead of its crate, never behind it.
const CRATES: &[Crate] = &[
    Crate {
        name: "protocol",
        may_use: &[],
        must_not_know: "async, servers and databases: it is the words that everybody shares",
    },
    Crate {
        name: "crypto",
        may_use: &["protocol"],
        must_not_know: "HTTP, storage and grants: clients and APIs use it too",
    },
    Crate {
        name: "grant",
        may_use: &["protocol"],
        must_not_know: "stores, keys and HTTP: it decides from the facts it is given",
    },
    Crate {
        name: "store",
        may_use: &["protocol", "grant"],
        must_not_know: "SQL, HTTP and the engine: it says what is kept, not how or for whom",
    },
    Crate {
        name: "store-sqlite",
        may_use: &["protocol", "grant", "store"],
        must_not_know: "the engine, HTTP and the other stores: it keeps, it does not rule",
    },
    Crate {
        name: "store-postgres",
        may_use: &["protocol", "grant", "store"],
        must_not_know: "the engine, HTTP and the other stores: it keeps, it does not rule",
    },
    Crate {
        name: "engine",
        may_use: &["protocol", "crypto", "grant", "store"],
        must_not_know: "HTTP, SQL, files and the environment: it reaches the world through what it is given",
    },
    Crate { name: "pages", may_use: &[], must_not_know: "any of our crates: words and values in, HTML out" },
    Crate {
        name: "http",
        may_use: &["protocol", "engine", "pages"],
        must_not_know: "stores, keys, files and the rules of OAuth: it parses, calls and renders",
    },
    Crate {
        name: "admin",
        may_use: &["protocol", "crypto", "grant", "store", "engine"],
        must_not_know: "SQL, files and the program: what it needs of those is given to it",
    },
    Crate {
        name: "data-directory",
        may_use: &["protocol", "crypto", "grant", "engine", "store", "store-sqlite", "store-postgres"],
        must_not_know: "HTTP and configuration: it opens a directory, and says why not",
    },
    Crate {
        name: "import",
        may_use: &["protocol", "grant", "store"],
        must_not_know: "the engine and HTTP: it carries other systems' data into a store",
    },
    Crate {
        name: "bench",
        may_use: &[],
        must_not_know: "any of our crates: it loads any OAuth server, and ours by the same door",
    },
    Crate {
        name: "server",
        may_use: &[
            "protocol",
            "crypto",
            "grant",
            "store",
            "store-sqlite",
            "store-postgres",
            "engine",
            "pages",
            "http",
            "admin",
            "data-directory",
            "import",
            "bench",
        ],
        must_not_know: "client and guard: they are other people's, and compile without the server",
    },
    Crate {
        name: "client",
        may_use: &["protocol", "crypto"],
        must_not_know: "anything of the server, nor the guard: it works with any OAuth server",
    },
    Crate {
        name: "guard",
        may_use: &["protocol", "crypto"],
        must_not_know: "anything of the server, nor the client: it sits in front of other people's APIs",
    },
    Crate {
        name: "regrant",
        may_use: &[
            "protocol",
            "crypto",
            "grant",
            "store",
            "store-sqlite",
            "store-postgres",
            "engine",
            "pages",
            "http",
            "data-directory",
        ],
        must_not_know: "the program, imports, client and guard: it is what an embedder needs and no more",
    },
    Crate {
        name: "examples",
        may_use: EVERYTHING,
        must_not_know: "xtask and the tests: an example is a program that a user could write",
    },
    Crate {
        name: "tests",
        may_use: EVERYTHING,
        must_not_know: "xtask and the examples: nothing is tested through them",
    },
    Crate {
        name: "benches",
        may_use: EVERYTHING,
        must_not_know: "xtask, the tests and the examples: it measures what users run",
    },
    Crate {
        name: "fuzz",
        may_use: EVERYTHING,
        must_not_know: "xtask, the tests and the examples: a target is a function over bytes, and asserts by itself",
    },
    Crate {
        name: "databases",
        may_use: &[],
        must_not_know: "any of our crates: it starts other people's servers, for tests of whatever crate",
    },
    Crate {
        name: "prove",
        may_use: EVERYTHING,
        must_not_know: "xtask, the tests and the examples: nothing is proved through them",
    },
    Crate { name: "xtask", may_use: &[], must_not_know: "any of our crates: it must build when they do not" },
];

const EVERYTHING: &[&str] = &[
    "protocol",
    "crypto",
    "grant",
    "store",
    "store-sqlite",
    "store-postgres",
    "engine",
    "pages",
    "http",
    "admin",
    "import",
    "bench",
    "server",
    "client",
    "guard",
    "data-directory",
    "regrant",
    "databases",
];

#[test]
fn crates_use_only_those_that_the_arrows_allow() {
    let violations: Vec<String> = workspace::packages()
        .iter()
        .filter_map(|package| Some((package, entry(&package.name)?)))
        .flat_map(|(package, entry)| forbidden_uses(package, entry))
        .collect();
    assert_none(&violations);
}

#[test]
fn every_crate_is_in_the_table() {
    let violations: Vec<String> = workspace::packages()
        .iter()
        .filter(|package| entry(&package.name).is_none())
        .map(|package| {
            format!(
                "{} is a new crate. Say in CRATES of tests/architecture/arrows.rs which of our crates it may use, \
                 and what it must not know.",
                package.name
            )
        })
        .collect();
    assert_none(&violations);
}

fn entry(name: &str) -> Option<&'static Crate> {
    CRATES.iter().find(|entry| entry.name == name)
}

/// Dependencies of tests are free: a crate may be tested with one that it does not know.
fn forbidden_uses(package: &Package, entry: &Crate) -> Vec<String> {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.is_ours && !dependency.is_dev)
        .map(|dependency| workspace::short(&dependency.package))
        .filter(|used| !entry.may_use.contains(used))
        .map(|used| {
            let may_use = match entry.may_use {
                [] => "none of our crates".to_owned(),
                names => names.join(", "),
            };
            format!(
                "{name} uses {used}, but may use {may_use}.\n{name} must not know {must_not_know}.",
                name = entry.name,
                must_not_know = entry.must_not_know,
            )
        })
        .collect()
}
