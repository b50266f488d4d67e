/// FNV-1a, 64 bits, of what a file says: enough to notice a torn write or a bad disk, and no promise against anybody who wants to
/// deceive.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
