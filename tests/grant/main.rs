//! The life of a grant as its client sees it: rotated, retried, reused, expired, ended from outside, and through failures.

mod changed_clients;
mod concurrency;
mod ended_from_outside;
mod expiry;
mod failures;
mod must_show;
mod retry_challenge;
mod retry_window;
mod rotation_modes;
