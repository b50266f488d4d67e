//! Other systems' databases, read: from foreign rows to neutral records.
//!
//! A [`Source`] is a SQLite file, a dump, a directory of CSV files, or the URL of a MySQL, MariaDB or PostgreSQL server.
//! A [`Reader`] opens it as the database of a [`System`] and gives out, a page at a time, what became of every row:
//!
//! - a [`Record`] in words that belong to no system: [`ForeignClient`], [`ForeignUser`], [`ForeignScope`],
//!   [`ForeignConsent`], [`ForeignRefreshToken`], [`ForeignAccessToken`],
//! - a row that nobody could use any more, [`LeftOut`], with the reason,
//! - a broken row, [`RowProblem`], with what is wrong and what to do. It ends nothing: the caller decides.
//!
//! [`survey()`] goes through a source and counts, for a rehearsal. Nothing is ever written to a source. Tokens are hashed as
//! soon as they are read, and no record or message has one.

mod database;
mod dotauth;
mod dump;
mod error;
mod jwt;
mod known;
mod ledger;
pub mod load;
mod moment;
mod name_list;
mod options;
mod php;
mod problem;
mod reader;
mod record;
mod redirect_uris;
mod scope_text;
mod scratch;
pub mod settings;
mod shortened;
mod source;
mod survey;
mod system;
mod table;
mod tables;
mod wso2;

pub use database::ReadError;
pub use error::OpenError;
pub use moment::{UnknownTimeZone, Zones, time_zone};
pub use options::{Digest, Options};
pub use problem::{LeftOut, Reason, RowProblem};
pub use reader::{Item, Reader};
pub use record::{
    Expiry, ForeignAccessToken, ForeignClient, ForeignConsent, ForeignLifetimes, ForeignPassword, ForeignRefreshToken,
    ForeignRotation, ForeignScope, ForeignSecret, ForeignUser, GrantTypes, Kind, Origin, Record, TokenDigest,
    TokenUser, UserStanding,
};
pub use shortened::shortened;
pub use source::Source;
pub use survey::{ClockDoubt, Survey, survey, survey_each};
pub use system::System;
