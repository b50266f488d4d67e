//! The life of a grant as its client sees it: rotated, retried, reused, expired, ended from outside, and through failures.

mod account;
mod changed_clients;
mod changed_meanwhile;
mod code;
mod concurrency;
mod consent;
mod ended_from_outside;
mod expiry;
mod failures;
mod log_in;
mod master_key_rotation;
mod must_show;
mod retry_challenge;
mod retry_window;
mod rotation_modes;
mod sessions;
