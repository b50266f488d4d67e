//! What it takes to keep everything in a store of one's own: the trait [`Store`] and every type that it names, and the rules
//! that a store calls and never decides itself: [`Cap`], [`may_be_swept`], [`end_made_before`].
//!
//! With the feature `store-suite`, `store_suite!` makes a module of tests that every store must pass.

pub use regrant_crypto::{Entropy, SystemEntropy};
pub use regrant_grant::*;
pub use regrant_protocol::{
    ClientId, Clock, EpochNumber, Kid, ManualClock, Profile, Subject, SystemClock, Timestamp, Username,
};
pub use regrant_store::*;
