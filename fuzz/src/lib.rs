//! Fuzz targets: one per reader of untrusted bytes, and the rules themselves.
//!
//! A target is a plain function that takes any bytes and panics when a promise is broken. Each promise is more than "does
//! not panic": what is read is written back as it was, what one reader accepts a second one accepts too, what was not
//! signed is not believed. `tests/replay.rs` runs every file of `corpus/` through its target in the ordinary tests; the
//! binary of this package, behind the feature `libfuzzer`, looks for new ones.

mod bytes;
mod case;
mod code_case;
mod planted;
mod server;
mod target;
mod visit;

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
    Target::new("approved_from", target::approved_from::run),
    Target::new("authorization", target::authorization::run),
    Target::new("authorize", target::authorize::run),
    Target::new("basic", target::basic::run),
    Target::new("bearer", target::bearer::run),
    Target::new("chunks", target::chunks::run),
    Target::new("client_settings", target::client_settings::run),
    Target::new("code_life", target::code_life::run),
    Target::new("code_request", target::code_request::run),
    Target::new("connection", target::connection::run),
    Target::new("cookies", target::cookies::run),
    Target::new("decide", target::decide::run),
    Target::new("end_session", target::end_session::run),
    Target::new("form", target::form::run),
    Target::new("head", target::head::run),
    Target::new("issuer", target::issuer::run),
    Target::new("json_body", target::json_body::run),
    Target::new("jwk", target::jwk::run),
    Target::new("jws", target::jws::run),
    Target::new("key_file", target::key_file::run),
    Target::new("life", target::life::run),
    Target::new("multipart", target::multipart::run),
    Target::new("pkce", target::pkce::run),
    Target::new("query", target::query::run),
    Target::new("redeem", target::redeem::run),
    Target::new("redirect_uri", target::redirect_uri::run),
    Target::new("resource", target::resource::run),
    Target::new("retry", target::retry::run),
    Target::new("scope", target::scope::run),
    Target::new("sealed", target::sealed::run),
    Target::new("stored_code", target::stored_code::run),
    Target::new("stored_profile", target::stored_profile::run),
    Target::new("stored_resources", target::stored_resources::run),
    Target::new("stored_secret", target::stored_secret::run),
    Target::new("token", target::token::run),
    Target::new("web_origin", target::web_origin::run),
    Target::planted("planted_code_life", planted::code_life_without_replay),
    Target::planted("planted_decide", planted::decide_with_a_longer_window),
    Target::planted("planted_head", planted::head_with_bare_line_feeds),
    Target::planted("planted_life", planted::life_without_reuse),
    Target::planted("planted_redirect_uri", planted::redirect_uri_with_any_text_for_a_port),
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
