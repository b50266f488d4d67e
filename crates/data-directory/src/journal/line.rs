use regrant_grant::Realm;
use regrant_protocol::EpochNumber;
use regrant_store::stored::ending;
use regrant_store::{Reached, Record};

use crate::checksum::checksum;
use crate::hex::{from_hex, to_hex};

/// The most bytes of a line, its end included: the longest names, escaped, several times over.
pub const JOURNAL_LINE_BYTES_MAX: usize = 8 * 1024;

/// The first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Whose journal it is.
    pub(super) realm: Realm,
    /// The number before that of its first record.
    pub(super) begins_after: u64,
}

/// Any other line: a record, and the number of the first one that was written together with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) record: Record,
    pub(super) first: u64,
    pub(super) epoch: EpochNumber,
}

impl Header {
    pub(super) fn to_text(self) -> String {
        sealed(format!("regrant-journal 1 {} {}", to_hex(&self.realm.0), self.begins_after))
    }

    /// Reads the first line, without its end.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        let mut words = unsealed(line)?.split(' ');
        if (words.next()?, words.next()?) != ("regrant-journal", "1") {
            return None;
        }
        let header = Self { realm: Realm(from_hex(words.next()?)?), begins_after: words.next()?.parse().ok()? };
        words.next().is_none().then_some(header)
    }
}

impl Line {
    pub(super) fn to_text(&self) -> String {
        let Record { number, counter, ending } = &self.record;
        sealed(format!("{number} {} {} {counter} {}", self.first, self.epoch.0, ending::to_json(ending)))
    }

    /// Reads a line, without its end.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        let mut words = unsealed(line)?.splitn(5, ' ');
        let number = words.next()?.parse().ok()?;
        let first = words.next()?.parse().ok()?;
        let epoch = EpochNumber(words.next()?.parse().ok()?);
        let counter = words.next()?.parse().ok()?;
        let ending = ending::from_json(words.next()?).ok()?;
        Some(Self { record: Record { number, counter, ending }, first, epoch })
    }

    /// How far the database had come that wrote it.
    pub(super) fn reached(&self) -> Reached {
        Reached { counter: self.record.counter, epoch: self.epoch }
    }
}

/// The text with its checksum and the end of the line.
fn sealed(text: String) -> String {
    let check = checksum(text.as_bytes());
    format!("{text} {check:016x}\n")
}

/// The text before its checksum; `None` when that is not its own.
fn unsealed(line: &[u8]) -> Option<&str> {
    let (text, check) = std::str::from_utf8(line).ok()?.rsplit_once(' ')?;
    (u64::from_str_radix(check, 16).ok()? == checksum(text.as_bytes())).then_some(text)
}

#[cfg(test)]
mod tests {
    use regrant_protocol::ClientId;
    use regrant_store::Ending;

    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_was_changed_is_not() {
        let header = Header { realm: Realm([0x5A; 16]), begins_after: 40 };
        let text = header.to_text();
        assert_eq!(Header::read(text.trim_end().as_bytes()), Some(header));
        assert_eq!(Header::read(text.replace("40", "41").trim_end().as_bytes()), None);

        let client = ClientId::parse("an app with spaces").unwrap();
        let ending = Ending::ClientEnabled { client, enabled: false };
        let line = Line { record: Record { number: 42, counter: 7, ending }, first: 41, epoch: EpochNumber(2) };
        let text = line.to_text();
        assert_eq!(Line::read(text.trim_end().as_bytes()), Some(line));
        assert_eq!(Line::read(text.replace("false", "true").trim_end().as_bytes()), None);
        assert_eq!(Line::read(&text.as_bytes()[..text.len() - 2]), None);
        assert_eq!(Line::read(b""), None);
    }

    #[test]
    fn the_longest_line_is_shorter_than_a_line_may_be() {
        let client = ClientId::parse(&"\"".repeat(255)).unwrap();
        let ending = Ending::ClientCutoff { client, cutoff: u32::MAX };
        let record = Record { number: u64::MAX, counter: u64::MAX, ending };
        let line = Line { record, first: u64::MAX, epoch: EpochNumber(u8::MAX) };
        assert!(line.to_text().len() < JOURNAL_LINE_BYTES_MAX / 2);
    }
}
