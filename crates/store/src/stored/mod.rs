//! How parts of what is kept are written in a column, the same in every store.

pub mod approved_from;
pub mod binding;
pub mod client_settings;
pub mod code;
pub mod ending;
pub mod profile;
pub mod recover_public;
pub mod resources;
pub mod user_status;

mod readable;

pub use readable::readable;
