use std::io::{self, BufRead};

use regrant_store::{JournalSpan, OutsideError};

use super::line::{Header, JOURNAL_LINE_BYTES_MAX, Line};

/// What a journal holds, as far as it is sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scanned {
    pub(super) header: Header,
    pub(super) span: JournalSpan,
    /// How many bytes that is.
    pub(super) bytes: u64,
    /// Where the lines begin that were written together last; the end, when there are none.
    pub(super) last_written: u64,
    /// What follows is what a crash left of lines that were written together and nobody was told of.
    pub(super) is_torn: bool,
}

/// Reads a whole journal, line by line, and finds where it ends.
///
/// A line that is not sound is the end when every sound line behind it was written together with it: they were not durable, and
/// nobody was told of them.
///
/// # Errors
/// When it is no journal, or is damaged before its last lines.
pub(super) fn scan(name: &str, reader: impl BufRead) -> Result<Scanned, OutsideError> {
    let mut lines = Lines { reader, text: Vec::new() };
    let unreadable = |error: io::Error| OutsideError(format!("{name}: {error}; see that this user may read it"));
    let header = lines.next().map_err(unreadable)?.and_then(|bytes| Some((Header::read(lines.sound()?)?, bytes)));
    let Some((header, mut bytes)) = header else {
        return Err(OutsideError(format!(
            "{name} is no revocation journal, or its first line is damaged; name another file in store.journal, or put it back from \
             a copy"
        )));
    };
    let begins_after = header.begins_after;
    let mut span = JournalSpan { begins_after, last: begins_after, reached: None };
    let (mut last_written, mut is_torn) = (bytes, false);
    while let Some(length) = lines.next().map_err(unreadable)? {
        let expected = span.last + 1;
        match lines.sound().and_then(Line::read) {
            Some(line) if !is_torn && line.record.number == expected => {
                if line.first == expected {
                    last_written = bytes;
                }
                span = JournalSpan { last: expected, reached: Some(line.reached()), ..span };
                bytes += length;
            }
            Some(line) if !is_torn || line.first > expected => {
                return Err(OutsideError(format!(
                    "{name} is damaged between its records {} and {}: put it back from a copy, or move it away to begin another; \
                     then what ended meanwhile is not known if the database has to be restored",
                    span.last, line.record.number
                )));
            }
            Some(_) | None => is_torn = true,
        }
    }
    Ok(Scanned { header, span, bytes, last_written, is_torn })
}

/// The lines of a reader, of each at most [`JOURNAL_LINE_BYTES_MAX`] bytes.
struct Lines<R> {
    reader: R,
    text: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    /// Goes to the next line, and says how long it is, its end included; `None` at the end.
    fn next(&mut self) -> io::Result<Option<u64>> {
        self.text.clear();
        let mut length = 0;
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok((length > 0).then_some(length));
            }
            let end = buffer.iter().position(|byte| *byte == b'\n').map(|index| index + 1);
            let taken = end.unwrap_or(buffer.len());
            let room = JOURNAL_LINE_BYTES_MAX.saturating_sub(self.text.len());
            self.text.extend_from_slice(&buffer[..taken.min(room)]);
            self.reader.consume(taken);
            length += taken as u64;
            if end.is_some() {
                return Ok(Some(length));
            }
        }
    }

    /// The line without its end; `None` when it has none, or is too long.
    fn sound(&self) -> Option<&[u8]> {
        self.text.strip_suffix(b"\n")
    }
}

#[cfg(test)]
mod tests {
    use regrant_grant::{GrantId, Realm};
    use regrant_protocol::{EpochNumber, Timestamp};
    use regrant_store::{Ending, Reached, Record};

    use super::*;

    /// A journal of records 6 to 10: 6 alone, 7 and 8 together, 9 and 10 together.
    fn lines() -> Vec<String> {
        let header = Header { realm: Realm([1; 16]), begins_after: 5 };
        let mut lines = vec![header.to_text()];
        for (number, first) in [(6, 6), (7, 7), (8, 7), (9, 9), (10, 9)] {
            let ending = Ending::Grant { id: GrantId([7; 16]), at: Timestamp::from_seconds(1) };
            let record = Record { number, counter: first, ending };
            lines.push(Line { record, first, epoch: EpochNumber(1) }.to_text());
        }
        lines
    }

    fn last(text: &str) -> Result<(u64, bool), String> {
        let scanned = scan("journal", text.as_bytes()).map_err(|error| error.to_string())?;
        assert_eq!(scanned.span.begins_after, 5);
        assert!(text.len() as u64 >= scanned.bytes);
        Ok((scanned.span.last, scanned.is_torn))
    }

    #[test]
    fn a_sound_journal_ends_with_its_last_record() {
        let text = lines().concat();
        assert_eq!(last(&text), Ok((10, false)));
        let scanned = scan("journal", text.as_bytes()).unwrap();
        assert_eq!(scanned.span.reached, Some(Reached { counter: 9, epoch: EpochNumber(1) }));
        assert_eq!(scanned.bytes, text.len() as u64);
        assert_eq!(scanned.last_written, lines()[..4].concat().len() as u64, "9 and 10 were written together");
        let header = lines().remove(0);
        assert_eq!(scan("journal", header.as_bytes()).unwrap().last_written, header.len() as u64);
        assert_eq!(last(&lines()[0]), Ok((5, false)));
    }

    #[test]
    fn what_a_crash_leaves_of_the_last_lines_is_cut_off() {
        let lines = lines();
        let spoiled = |number: usize| {
            let mut lines = lines.clone();
            lines[number - 5] = lines[number - 5].replace("grant", "\0\0\0\0\0");
            lines.concat()
        };
        let whole = lines.concat();
        for (why, text, expected) in [
            ("half of the last line", whole[..whole.len() - 9].to_owned(), 9),
            ("the last line without its end", whole[..whole.len() - 1].to_owned(), 9),
            ("the last line is spoiled", spoiled(10), 9),
            ("the one before, which was written together with it, is spoiled", spoiled(9), 8),
        ] {
            assert_eq!(last(&text), Ok((expected, true)), "{why}");
        }
    }

    #[test]
    fn damage_before_the_last_lines_is_refused() {
        let lines = lines();
        for number in [6, 7, 8] {
            let mut spoiled = lines.clone();
            spoiled[number - 5].replace_range(5..9, "0000");
            let told = last(&spoiled.concat()).unwrap_err();
            assert!(told.contains(&format!("damaged between its records {}", number - 1)), "{number}: {told}");
            let mut lost = lines.clone();
            lost.remove(number - 5);
            assert!(last(&lost.concat()).unwrap_err().contains("is damaged"), "{number}");
        }
        for text in ["", "a letter\n", "regrant-journal 1"] {
            assert!(scan("journal", text.as_bytes()).unwrap_err().to_string().contains("is no revocation journal"));
        }
    }

    #[test]
    fn a_line_without_end_takes_no_more_memory_than_a_line_may() {
        let endless = vec![b'x'; 20 * JOURNAL_LINE_BYTES_MAX];
        let mut lines = Lines { reader: &endless[..], text: Vec::new() };
        assert_eq!(lines.next().unwrap(), Some(endless.len() as u64));
        assert_eq!((lines.text.len(), lines.sound()), (JOURNAL_LINE_BYTES_MAX, None));
    }
}
