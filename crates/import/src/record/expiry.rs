use regrant_protocol::Timestamp;

/// When a token ends by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// At this moment.
    At(Timestamp),
    /// Not at all; whoever takes the token over may have to choose a lifetime.
    Never,
}
