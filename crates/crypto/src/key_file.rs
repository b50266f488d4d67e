//! The key ring as text: the content of the 0600 key file, or of the environment variable.
//!
//! ```text
//! # comment
//! pepper = <32 bytes in base64url>
//! key 1 = <32 bytes in base64url>
//! ```
//!
//! While an emergency runs, one more line, `older keys = retired`, says that all keys but the newest are about to go.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::base64url;
use crate::key_ring::KeyRing;
use crate::master_key::{MasterKey, Pepper};
use regrant_protocol::Kid;

/// The most bytes of a key file: all 255 keys and as much again in comments.
pub const KEY_FILE_BYTES_MAX: usize = 32 * 1024;

/// Why a text is not a key ring. Names lines, never values.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// Longer than [`KEY_FILE_BYTES_MAX`].
    #[error("the key file has {bytes} bytes, more than the {KEY_FILE_BYTES_MAX} allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// One line is wrong.
    #[error("line {line} of the key file {problem}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        problem: LineProblem,
    },
    /// No `pepper` line.
    #[error("the key file has no line `pepper = …`; restore the file this store was made with")]
    NoPepper,
    /// No `key` line.
    #[error("the key file has no line `key N = …`; restore the file this store was made with")]
    NoKey,
}

/// What is wrong with one line of a key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineProblem {
    /// Neither empty, comment, pepper, key, nor what is said of the older keys.
    #[error("is neither a comment, nor `pepper = …`, nor `key N = …`, nor `older keys = retired`")]
    Unknown,
    /// `key N` where N is not a kid.
    #[error("numbers its key with something else than 1 to 255 in plain decimal")]
    Kid,
    /// The value is not a key.
    #[error("does not give 32 bytes as 43 characters of base64url")]
    Value,
    /// A second pepper.
    #[error("gives a second pepper")]
    SecondPepper,
    /// A kid that an earlier line gave.
    #[error("gives key {0} a second time")]
    SecondKey(Kid),
    /// The older keys are something else than retired.
    #[error("says something else of the older keys than `older keys = retired`")]
    OlderKeys,
}

impl KeyRing {
    /// Reads what [`KeyRing::to_text`] wrote, or an operator by hand. Empty lines, lines that
    /// begin with `#`, and space around names and values are skipped; anything else that is not
    /// expected is an error.
    pub fn from_text(text: &str) -> Result<Self, KeyFileError> {
        if text.len() > KEY_FILE_BYTES_MAX {
            return Err(KeyFileError::TooLong { bytes: text.len() });
        }
        let mut read = Read::default();
        for (index, line) in text.lines().enumerate() {
            read.line(line).map_err(|problem| KeyFileError::Line { line: index + 1, problem })?;
        }
        let pepper = read.pepper.ok_or(KeyFileError::NoPepper)?;
        let mut ring = KeyRing::new(pepper, read.keys).ok_or(KeyFileError::NoKey)?;
        if read.is_retiring {
            ring.begin_retirement();
        }
        Ok(ring)
    }

    /// The content of a key file for this ring, at most [`KEY_FILE_BYTES_MAX`] bytes.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        // Reserved at once: a string that grows leaves copies of secrets behind.
        let mut text = Zeroizing::new(String::with_capacity(KEY_FILE_BYTES_MAX));
        text.push_str(HEADING);
        text.push_str("pepper = ");
        base64url::encode_onto(self.pepper().expose(), &mut text);
        text.push('\n');
        if self.is_retiring() {
            text.push_str(&format!("{OLDER_KEYS} = {RETIRED}\n"));
        }
        for (kid, key) in self.iter() {
            text.push_str(&format!("key {kid} = "));
            base64url::encode_onto(key.expose(), &mut text);
            text.push('\n');
        }
        text
    }
}

const OLDER_KEYS: &str = "older keys";
const RETIRED: &str = "retired";

/// What the lines so far say.
#[derive(Default)]
struct Read {
    pepper: Option<Pepper>,
    keys: BTreeMap<Kid, MasterKey>,
    is_retiring: bool,
}

impl Read {
    fn line(&mut self, line: &str) -> Result<(), LineProblem> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let (name, value) = line.split_once('=').ok_or(LineProblem::Unknown)?;
        let name = name.trim_end();
        if name == OLDER_KEYS {
            self.is_retiring = true;
            return if value.trim() == RETIRED { Ok(()) } else { Err(LineProblem::OlderKeys) };
        }
        if name == "pepper" {
            if self.pepper.is_some() {
                return Err(LineProblem::SecondPepper);
            }
            self.pepper = Some(Pepper::from_bytes(read_value(value)?));
            return Ok(());
        }
        let number = name.strip_prefix("key ").ok_or(LineProblem::Unknown)?;
        let kid = read_kid(number).ok_or(LineProblem::Kid)?;
        if self.keys.contains_key(&kid) {
            return Err(LineProblem::SecondKey(kid));
        }
        self.keys.insert(kid, MasterKey::from_bytes(read_value(value)?));
        Ok(())
    }
}

fn read_kid(number: &str) -> Option<Kid> {
    let kid = number.parse().ok().filter(|&kid| kid != 0).map(Kid)?;
    // `01` and `+1` are refused: a kid has one spelling.
    (kid.to_string() == number).then_some(kid)
}

fn read_value(value: &str) -> Result<[u8; 32], LineProblem> {
    base64url::decode_array(value.trim()).map(|bytes| *bytes).ok_or(LineProblem::Value)
}

const HEADING: &str = "\
# The keys of a regrant store. Without this file its tokens and signing keys are lost;
# whoever reads it together with the database can make tokens. Keep a copy, apart from the database.
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    const P: &str = "pepper = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const K1: &str = "key 1 = AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    const K9: &str = "key 9 = AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";

    #[test]
    fn what_is_printed_is_read_back() {
        let entropy = SeededEntropy::new(1);
        let mut ring = KeyRing::generate(&entropy);
        while ring.add(&entropy).is_ok() {}
        assert!(!KeyRing::from_text(&ring.to_text()).unwrap().is_retiring());
        ring.begin_retirement();
        let text = ring.to_text();
        assert!(text.len() <= KEY_FILE_BYTES_MAX);
        assert_eq!(text.capacity(), KEY_FILE_BYTES_MAX, "it grew and left copies behind");

        let read = KeyRing::from_text(&text).unwrap();
        assert!(read.is_retiring());
        assert_eq!(read.pepper().expose(), ring.pepper().expose());
        let bytes = |ring: &KeyRing| -> Vec<_> { ring.iter().map(|(kid, key)| (kid, *key.expose())).collect() };
        assert_eq!(bytes(&read), bytes(&ring));
    }

    #[test]
    fn a_file_written_by_hand_is_read() {
        let text = format!("# ours\r\n\r\n  {K9} \r\n{P}\r\n{}\r\n", K1.replace(" = ", "="));
        let ring = KeyRing::from_text(&text).unwrap();
        assert_eq!(ring.oldest().0.0, 1);
        assert_eq!(ring.oldest().1.expose(), &[1; 32]);
        assert_eq!(ring.newest().0.0, 9);
        assert_eq!(ring.newest().1.expose(), &[2; 32]);
        assert_eq!(ring.pepper().expose(), &[0; 32]);
    }

    #[test]
    fn anything_unexpected_is_refused_with_its_line() {
        use LineProblem::{SecondKey, SecondPepper, Unknown, Value};
        let line = |line, problem| KeyFileError::Line { line, problem };
        let cases = [
            (String::new(), KeyFileError::NoPepper, "nothing"),
            (K1.to_owned(), KeyFileError::NoPepper, "no pepper"),
            (P.to_owned(), KeyFileError::NoKey, "no key"),
            (format!("{P}\n{P}\n{K1}"), line(2, SecondPepper), "two peppers"),
            (format!("{P}\n{K1}\n\n{K1}"), line(4, SecondKey(Kid::FIRST)), "one kid twice"),
            (format!("{P}\n{K1} # mine"), line(2, Value), "a comment after a value"),
            (format!("{P}\n{K1}A"), line(2, Value), "33 bytes"),
            (format!("{P}\n{K1}="), line(2, Value), "padding"),
            (format!("{P}=\n{K1}"), line(1, Value), "padding of the pepper"),
            (format!("{P}\nkey 1 ="), line(2, Value), "no value"),
            (K1.replace("QE", "QF"), line(1, Value), "spare bits"),
            (format!("{P}\nkey 1"), line(2, Unknown), "no equals sign"),
            (format!("{P}\nolder keys = kept"), line(2, LineProblem::OlderKeys), "older keys that are not retired"),
            (K1.replace("key", "kee"), line(1, Unknown), "a misspelt name"),
            (P.replace("pepper", "Pepper"), line(1, Unknown), "a capital"),
            (K1.replace("key 1", "key 0"), line(1, LineProblem::Kid), "kid 0"),
            (K1.replace("key 1", "key 256"), line(1, LineProblem::Kid), "kid 256"),
            (K1.replace("key 1", "key 01"), line(1, LineProblem::Kid), "a leading zero"),
            (K1.replace("key 1", "key +1"), line(1, LineProblem::Kid), "a sign"),
            (K1.replace("key 1", "key  1"), line(1, LineProblem::Kid), "two spaces"),
            (" ".repeat(KEY_FILE_BYTES_MAX + 1), KeyFileError::TooLong { bytes: KEY_FILE_BYTES_MAX + 1 }, "too long"),
        ];
        for (text, expected, why) in cases {
            assert_eq!(KeyRing::from_text(&text).err(), Some(expected), "{why}");
        }
    }

    #[test]
    fn an_error_names_the_line_and_never_the_value() {
        let error = KeyRing::from_text(&format!("{P}\n{K9}secret")).unwrap_err();
        assert_eq!(error.to_string(), "line 2 of the key file does not give 32 bytes as 43 characters of base64url");
    }
}
