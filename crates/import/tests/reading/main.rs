//! Foreign databases, read to their end: one trap after another.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bshaffer;
mod dotauth;
mod dumps;
mod readings;
mod surveys;
mod wso2;
