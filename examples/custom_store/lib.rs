//! A store of one's own: everything in the memory of this process, for as long as somebody holds the [`Memory`].
//!
//! What a store is asked for is steps, not rows: it reads the scene of a step, lets the rule decide, and writes what the rule
//! asks for, as one. What it may decide by itself it leaves to the functions beside the rule: which grant makes room for
//! another, what a sweep may remove, what an operator ends. The suite in `suite.rs` says whether it kept its word.
//!
//! ```
//! use custom_store::Memory;
//! use regrant::store::{SystemClock, SystemEntropy};
//! use regrant::{KeyRing, Server};
//! use std::sync::Arc;
//!
//! # async fn example() -> Result<(), regrant::StartError> {
//! let keys = KeyRing::generate(&SystemEntropy);
//! let store = Memory::new(&SystemEntropy).store(Arc::new(SystemClock));
//! let server = Server::builder("http://127.0.0.1:8080").store(Arc::new(store), keys).open().await?;
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```

mod grants;
mod imports;
mod keys;
mod memory;
mod pages;
mod parties;
mod sessions;
mod sweep;
mod tables;

pub use memory::{Memory, MemoryStore};
