/// The most edits of one text.
const EDITS_MAX: usize = 16;

/// Fuzzed bytes, read as numbers and choices. When they are used up, everything is 0 and the first choice.
pub(crate) struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let (taken, rest) = self.0.split_at(N.min(self.0.len()));
        array[..taken.len()].copy_from_slice(taken);
        self.0 = rest;
        array
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    pub(crate) fn is_set(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// `text` with what the rest says of it: where, and the byte that stands there instead, in three bytes each.
    pub(crate) fn edit(&mut self, text: &str) -> Vec<u8> {
        let mut edited = text.as_bytes().to_owned();
        for _ in 0..EDITS_MAX {
            if self.is_empty() || edited.is_empty() {
                break;
            }
            let at = usize::from(u16::from_be_bytes(self.array())) % edited.len();
            edited[at] = self.byte();
        }
        edited
    }

    /// What has not been read.
    pub(crate) fn rest(&self) -> &[u8] {
        self.0
    }

    pub(crate) fn choice<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()].clone()
    }
}
