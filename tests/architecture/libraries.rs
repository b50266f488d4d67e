//! Which of our crates may use a library of others.

use crate::assert_none;
use crate::workspace;

/// A library that only some crates may depend on, be it for their tests.
struct Library {
    name: &'static str,
    only_in: &'static [&'static str],
    rule: &'static str,
}

/// `deny.toml` repeats those that others' libraries could bring in.
const LIBRARIES: &[Library] = &[
    Library {
        name: "axum",
        only_in: &["http", "admin", "server", "regrant", "benches", "examples", "fuzz", "tests"],
        rule: "only the edge speaks HTTP",
    },
    Library {
        name: "hyper",
        only_in: &["server", "examples", "tests", "prove"],
        rule: "only the program accepts connections; `http` is a router that anybody can serve",
    },
    Library {
        name: "rusqlite",
        // The last two make the databases of other systems.
        only_in: &["store-sqlite", "import", "tests", "prove"],
        rule: "SQL stays behind the store",
    },
    Library { name: "tokio-postgres", only_in: &["store-postgres", "import"], rule: "SQL stays behind the store" },
    Library { name: "mysql_async", only_in: &["import"], rule: "we keep nothing in MySQL; others did" },
    Library {
        name: "aws-lc-rs",
        only_in: &["crypto"],
        rule: "cryptography has one place, and the others ask it for what they mean",
    },
    Library {
        name: "argon2",
        only_in: &["crypto"],
        rule: "cryptography has one place, and the others ask it for what they mean",
    },
    Library {
        name: "bcrypt",
        only_in: &["crypto"],
        rule: "cryptography has one place, and the others ask it for what they mean",
    },
    Library {
        name: "md-5",
        only_in: &["crypto"],
        rule: "cryptography has one place, and the others ask it for what they mean",
    },
    Library {
        name: "anyhow",
        only_in: &["server", "client", "examples", "tests", "prove", "xtask"],
        rule: "a library's errors are types that its callers can tell apart",
    },
];

/// Packages that are OpenSSL, or bring it.
const OPENSSL: &[&str] = &["openssl", "openssl-sys", "openssl-src", "native-tls"];

#[test]
fn libraries_are_used_only_where_their_rule_allows() {
    let mut violations = Vec::new();
    for package in workspace::packages() {
        for library in LIBRARIES {
            let uses = package.dependencies.iter().any(|used| used.package == library.name);
            if uses && !library.only_in.contains(&package.name.as_str()) {
                violations.push(format!(
                    "{} depends on {}, which only {} may: {}.",
                    package.name,
                    library.name,
                    library.only_in.join(", "),
                    library.rule,
                ));
            }
        }
    }
    assert_none(&violations);
}

#[test]
fn openssl_is_nowhere_in_the_tree() {
    let lock = workspace::read("Cargo.lock");
    let violations: Vec<String> = OPENSSL
        .iter()
        .filter(|name| lock.lines().any(|line| line == format!("name = \"{name}\"")))
        .map(|name| {
            format!(
                "{name} is in Cargo.lock (see `cargo tree --invert {name}`). \
                 TLS is rustls and cryptography is aws-lc-rs, so that there is one library to trust and to update."
            )
        })
        .collect();
    assert_none(&violations);
}
