//! Fuzz targets: one per reader of untrusted bytes, and the rule itself.
//!
//! A target is a plain function that takes any bytes and panics when a promise is broken. Each promise is more than "does
//! not panic": what is read is written back as it was, what one reader accepts a second one accepts too, what was not
//! signed is not believed. `tests/replay.rs` runs every file of `corpus/` through its target in the ordinary tests; the
//! binary of this package, behind the feature `libfuzzer`, looks for new ones.

mod bytes;
mod case;
mod planted;
mod target;

/// A reader of untrusted bytes, and what it promises.
pub struct Target {
    /// Its name, and that of its folder in `corpus/`.
    pub name: &'static str,
    /// Panics when a promise is broken.
    pub run: fn(&[u8]),
    /// Whether a promise is broken on purpose: such a target must be caught, or the fuzzer is blind.
    pub is_planted: bool,
}

/// Every target. The planted ones come last.
pub const TARGETS: &[Target] = &[
    Target::new("access_token", target::access_token::run),
    Target::new("basic", target::basic::run),
    Target::new("chunks", target::chunks::run),
    Target::new("client_settings", target::client_settings::run),
    Target::new("connection", target::connection::run),
    Target::new("decide", target::decide::run),
    Target::new("form", target::form::run),
    Target::new("head", target::head::run),
    Target::new("issuer", target::issuer::run),
    Target::new("jwk", target::jwk::run),
    Target::new("jws", target::jws::run),
    Target::new("key_file", target::key_file::run),
    Target::new("life", target::life::run),
    Target::new("resource", target::resource::run),
    Target::new("retry", target::retry::run),
    Target::new("scope", target::scope::run),
    Target::new("stored_secret", target::stored_secret::run),
    Target::new("token", target::token::run),
    Target::planted("planted_decide", planted::decide_with_a_longer_window),
    Target::planted("planted_head", planted::head_with_bare_line_feeds),
    Target::planted("planted_life", planted::life_without_reuse),
    Target::planted("planted_token", planted::token_of_either_alphabet),
];

impl Target {
    const fn new(name: &'static str, run: fn(&[u8])) -> Self {
        Self { name, run, is_planted: false }
    }

    const fn planted(name: &'static str, run: fn(&[u8])) -> Self {
        Self { name, run, is_planted: true }
    }

    /// The target whose files the corpus of this one is: a planted fault starts from what its sound twin starts from.
    #[must_use]
    pub fn corpus(&self) -> &'static str {
        self.name.strip_prefix("planted_").unwrap_or(self.name)
    }
}
