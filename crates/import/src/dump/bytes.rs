use std::io::{BufReader, Read};

use super::Fault;

/// How much of a dump is held at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// A file as a row of bytes, with the number of the line.
pub(super) struct Bytes<R> {
    source: std::io::Bytes<BufReader<R>>,
    ahead: [Option<u8>; 2],
    is_primed: bool,
    line: u64,
}

impl<R: Read> Bytes<R> {
    pub(super) fn new(source: R) -> Self {
        let source = BufReader::with_capacity(BUFFER_BYTES, source).bytes();
        Self { source, ahead: [None, None], is_primed: false, line: 1 }
    }

    /// The line of the next byte, counted from 1.
    pub(super) const fn line(&self) -> u64 {
        self.line
    }

    /// The next byte, which stays; `None` at the end.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, Fault> {
        self.prime()?;
        Ok(self.ahead[0])
    }

    /// The byte after the next.
    pub(super) fn peek_second(&mut self) -> Result<Option<u8>, Fault> {
        self.prime()?;
        Ok(self.ahead[1])
    }

    /// Takes the next byte.
    pub(super) fn take(&mut self) -> Result<Option<u8>, Fault> {
        self.prime()?;
        let taken = self.ahead[0];
        self.ahead = [self.ahead[1], self.read_one()?];
        if taken == Some(b'\n') {
            self.line += 1;
        }
        Ok(taken)
    }

    /// Takes the next byte, which must be there.
    pub(super) fn must_take(&mut self) -> Result<u8, Fault> {
        self.take()?.ok_or_else(|| "the file ends in the middle of a statement; is it all there?".to_owned())
    }

    /// Takes the next byte if it is `wanted`.
    pub(super) fn take_if(&mut self, wanted: u8) -> Result<bool, Fault> {
        let is_next = self.peek()? == Some(wanted);
        if is_next {
            self.take()?;
        }
        Ok(is_next)
    }

    fn prime(&mut self) -> Result<(), Fault> {
        if !self.is_primed {
            self.is_primed = true;
            self.ahead = [self.read_one()?, None];
            self.ahead[1] = self.read_one()?;
        }
        Ok(())
    }

    fn read_one(&mut self) -> Result<Option<u8>, Fault> {
        self.source.next().transpose().map_err(|error| format!("reading failed: {error}"))
    }
}
