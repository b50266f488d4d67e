/// The most rows that a slice of a long work looks at. Refreshes are decided between two slices, and wait for one of that work
/// at most.
pub const SLICE_ROWS_MAX: u32 = 500;

/// Some of many, and where the rest begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, C> {
    /// These; perhaps fewer than were asked for, or none, though others follow.
    pub items: Vec<T>,
    /// What to ask for to go on; `None` when nothing follows.
    pub next: Option<C>,
}
