//! When a request began to arrive.

use std::time::Instant;

/// When the first byte of a request arrived, or earlier; never later.
///
/// An extension of the request, set by the server's accept loop. The retry rule rests on it: a request that was not
/// begun to be decided 10 s after its first byte is answered 503 and never with a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstByte(pub Instant);
