//! How far a proof is taken.

use clap::ValueEnum;

/// How far a proof is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Scale {
    /// With every change: a minute.
    Ci,
    /// Every night: some minutes.
    Night,
    /// Before a release: as far as the machine goes.
    Gate,
}
