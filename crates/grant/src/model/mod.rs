//! The rule in a small world where everything that can happen may happen at any moment, for the model checker.
//!
//! One grant, one honest client that follows the published retry rule in one or two tabs, one thief, a server that
//! crashes, rotates keys, is restored and revokes, and a clock in ticks of [`TICK_SECONDS`]. Nothing of the rule is
//! written here a second time: every step calls [`decide`](crate::decide) or [`revoke`](crate::revoke), through a
//! [`Rule`], so that a [`Fault`] can be planted and must be found.
//!
//! - [`Settings`] say what may happen in one configuration, and within which bounds,
//! - [`World`] is the model that stateright explores,
//! - [`Breach`] lists the promises that are watched, and [`explore()`] visits every state there is.
//!
//! Messages are lost by never being decided or never being heard, so every message may be lost at any time. Time has no
//! horizon: ages stop counting where nothing depends on them any more, which keeps the space finite.

mod action;
mod breach;
mod choices;
mod client;
mod explore;
mod fault;
mod ledger;
mod row;
mod rule;
mod server;
mod settings;
mod store;
mod thief;
mod token;
mod world;

pub use action::{Action, Ask, Guise};
pub use breach::Breach;
pub use explore::{Exploration, explore};
pub use fault::Fault;

pub use rule::{RealRule, Rule};
pub use settings::{ClientType, QuietReading, Restore, RetryRule, Settings, TICK_SECONDS, Tabs, Theft};
pub use token::Token;
pub use world::{State, World};
