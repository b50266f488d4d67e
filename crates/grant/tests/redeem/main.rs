//! The rule of redemption, held against a second writing of it.
//!
//! [`rule_table`] states it as rows of conditions, without a look at the code; [`exhaustive`] compares the two over products of
//! small domains; [`sentences`] says with numbers of its own what clients and users may rely on.

mod case;
mod exhaustive;
mod rule_table;
mod sentences;
