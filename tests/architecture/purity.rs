//! Crates that reach the world only through what they are given.

use crate::assert_none;
use crate::workspace::{self, Source};

const RULE: &str = "The engine and what it stands on open no socket and no file, and read no environment; \
     what they need of the world, they are given.";

/// The crates that reach the world only through what they are given.
const PURE: &[&str] = &["protocol", "crypto", "grant", "store", "engine"];

/// Modules that reach the world, by the crate they are in.
const WORLDLY_MODULES: &[(&str, &[&str])] = &[("std", &["env", "fs", "process"]), ("tokio", &["fs", "net", "process"])];

/// The parts of `std::net` that open sockets or ask resolvers; addresses are only words.
const WORLDLY_TYPES: &[&str] =
    &["TcpListener", "TcpStream", "ToSocketAddrs", "UdpSocket", "UnixDatagram", "UnixListener", "UnixStream"];

#[test]
fn the_engine_opens_no_socket_and_no_file() {
    let mut violations = Vec::new();
    for package in workspace::packages() {
        if !PURE.contains(&package.name.as_str()) {
            continue;
        }
        for Source { path, text } in workspace::rust_sources(&package.folder.join("src")) {
            for name in worldly_names(&text) {
                violations.push(format!("{path} uses {name}. {RULE}"));
            }
        }
    }
    assert_none(&violations);
}

/// The worldly modules and types that `text` names outside of comments, each once.
fn worldly_names(text: &str) -> Vec<String> {
    let code: String =
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let mut names = Vec::new();
    for (root, modules) in WORLDLY_MODULES {
        for module in *modules {
            if names_module(&code, root, module) {
                names.push(format!("{root}::{module}"));
            }
        }
    }
    let types = WORLDLY_TYPES.iter().filter(|name| words(&code).any(|word| word == **name));
    names.extend(types.map(|&name| name.to_owned()));
    names
}

/// Whether `code` names `root::module`, written out or in a group as in `use root::{module, …};`.
fn names_module(code: &str, root: &str, module: &str) -> bool {
    code.split(&format!("{root}::")).skip(1).any(|rest| match rest.strip_prefix('{') {
        Some(group) => words(group.split(';').next().unwrap_or_default()).any(|word| word == module),
        None => words(rest).next() == Some(module),
    })
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|character: char| !character.is_alphanumeric() && character != '_').filter(|word| !word.is_empty())
}

#[test]
fn worldly_names_are_recognized_in_every_spelling() {
    let cases: &[(&str, &[&str], &str)] = &[
        ("use std::fs;", &["std::fs"], "imported"),
        ("std::env::var(name)", &["std::env"], "written out"),
        ("use std::{\n    collections::HashMap,\n    fs::File,\n};", &["std::fs"], "in a group"),
        ("use tokio::{net::TcpStream, sync::mpsc};", &["tokio::net", "TcpStream"], "a module and a type"),
        ("use std::net::{IpAddr, Ipv4Addr};", &[], "an address is no socket"),
        ("// std::fs would be wrong here", &[], "a comment"),
        ("use tokio::sync::{mpsc, oneshot};", &[], "channels stay inside"),
        ("std::fsync(); env!(\"CARGO_PKG_VERSION\")", &[], "longer names, and the compiler's environment"),
    ];
    for (text, expected, why) in cases {
        assert_eq!(worldly_names(text), *expected, "{why}");
    }
}
