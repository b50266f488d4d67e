//! The ways in which a store is damaged.

use regrant_crypto::SeededEntropy;

use super::stores::{DATABASE, Files, KEY_FILE, LOG, LOG_INDEX, Stores};
use crate::power::below;

/// A kind of damage.
pub(super) struct Damage {
    pub(super) name: &'static str,
    /// How often, of the number that the scale says.
    pub(super) share: Share,
    /// Whether the store was closed before, so that there is no log.
    pub(super) closed: bool,
    /// What may come of it.
    pub(super) allows: Allows,
    pub(super) act: fn(&mut Files, &Stores, &SeededEntropy),
}

#[derive(Clone, Copy)]
pub(super) enum Share {
    All,
    Quarter,
    Once,
}

/// What damage may come to, beside a refusal, a 503, and everything as it was.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Allows {
    /// Nothing else: everything must be as it was, and be opened.
    Nothing,
    /// Rows of an earlier time: the log is gone, or its end is.
    RolledBack,
    /// Anything in the rows.
    Unnoticed,
}

pub(super) const DAMAGES: &[Damage] = &[
    Damage {
        name: "bit_in_database",
        share: Share::All,
        closed: true,
        allows: Allows::Unnoticed,
        act: |files, _, chance| flip(files, DATABASE, chance),
    },
    Damage {
        name: "bit_in_log",
        share: Share::All,
        closed: false,
        allows: Allows::RolledBack,
        act: |files, _, chance| flip(files, LOG, chance),
    },
    Damage {
        name: "bit_in_database_under_log",
        share: Share::Quarter,
        closed: false,
        allows: Allows::Unnoticed,
        act: |files, _, chance| flip(files, DATABASE, chance),
    },
    Damage {
        name: "bit_in_key_file",
        share: Share::Quarter,
        closed: true,
        allows: Allows::Unnoticed,
        act: |files, _, chance| flip(files, KEY_FILE, chance),
    },
    Damage {
        name: "cut_off_log",
        share: Share::Quarter,
        closed: false,
        allows: Allows::RolledBack,
        act: |files, _, chance| cut_off(files, LOG, chance),
    },
    Damage {
        name: "cut_off_database",
        share: Share::Quarter,
        closed: true,
        allows: Allows::Unnoticed,
        act: |files, _, chance| cut_off(files, DATABASE, chance),
    },
    Damage {
        name: "no_log",
        share: Share::Once,
        closed: false,
        allows: Allows::RolledBack,
        act: |files, _, _| drop(files.remove(LOG)),
    },
    Damage {
        name: "no_log_index",
        share: Share::Once,
        closed: false,
        allows: Allows::Nothing,
        act: |files, _, _| drop(files.remove(LOG_INDEX)),
    },
    Damage {
        name: "garbage_in_log_index",
        share: Share::Once,
        closed: false,
        allows: Allows::Nothing,
        act: |files, _, _| drop(files.insert(LOG_INDEX.to_owned(), vec![0x5A; 32_768])),
    },
    Damage {
        name: "log_of_another_store",
        share: Share::Once,
        closed: true,
        allows: Allows::Unnoticed,
        act: |files, stores, _| drop(files.insert(LOG.to_owned(), stores.other[LOG].clone())),
    },
    Damage {
        name: "log_of_another_store_instead",
        share: Share::Once,
        closed: false,
        allows: Allows::Unnoticed,
        act: |files, stores, _| drop(files.insert(LOG.to_owned(), stores.other[LOG].clone())),
    },
    Damage {
        name: "empty_log",
        share: Share::Once,
        closed: false,
        allows: Allows::RolledBack,
        act: |files, _, _| drop(files.insert(LOG.to_owned(), Vec::new())),
    },
    Damage {
        name: "empty_database",
        share: Share::Once,
        closed: true,
        allows: Allows::Unnoticed,
        act: |files, _, _| drop(files.insert(DATABASE.to_owned(), Vec::new())),
    },
    Damage {
        name: "no_database",
        share: Share::Once,
        closed: true,
        allows: Allows::Unnoticed,
        act: |files, _, _| drop(files.remove(DATABASE)),
    },
    Damage {
        name: "no_key_file",
        share: Share::Once,
        closed: true,
        allows: Allows::Unnoticed,
        act: |files, _, _| drop(files.remove(KEY_FILE)),
    },
];

fn flip(files: &mut Files, name: &str, chance: &SeededEntropy) {
    if let Some(bytes) = files.get_mut(name) {
        let bit = below(bytes.len() * 8, chance);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

fn cut_off(files: &mut Files, name: &str, chance: &SeededEntropy) {
    if let Some(bytes) = files.get_mut(name) {
        bytes.truncate(below(bytes.len(), chance));
    }
}
