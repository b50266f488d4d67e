//! What it takes to keep everything in PostgreSQL: where it is and how it is used, and why it cannot be opened.

pub use regrant_store_postgres::{Address, AddressError, OpenError, Settings, TimeOfDay};
