//! The configuration from outside: what is refused and how that is told, which layer wins, and what is printed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod broken;
mod command;
mod folder;
mod layers;
mod pages;
mod stand_in;
mod translate;
mod whole;
