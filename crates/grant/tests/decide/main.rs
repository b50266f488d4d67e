//! The rule of refresh, held against a second writing of it.
//!
//! [`rule_table`] states the design's tables as rows of conditions, without a look at the code; [`exhaustive`] compares the
//! two over products of small domains; [`sentences`] says with numbers of its own what each kind of client may rely on;
//! [`properties`] are the promises that hold in every case.

mod any_case;
mod case;
mod exhaustive;
mod properties;
mod rule_table;
mod sentences;
