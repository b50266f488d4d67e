use regrant_crypto::{KEY_FILE_BYTES_MAX, KeyRing};
use regrant_protocol::Kid;

/// A key file that is read is written so that it reads the same.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Ok(ring) = KeyRing::from_text(text) else { return };
    assert!(text.len() <= KEY_FILE_BYTES_MAX);
    let written = ring.to_text();
    assert!(written.len() <= KEY_FILE_BYTES_MAX);
    let read = KeyRing::from_text(&written).expect("what was written is read back");
    assert_eq!(contents(&read), contents(&ring));
    assert_eq!(*read.to_text(), *written, "a ring has one text");
    assert!(ring.iter().all(|(kid, _)| kid >= Kid::FIRST), "no key has the number 0");
    assert!(ring.oldest().0 <= ring.newest().0);
}

fn contents(ring: &KeyRing) -> ([u8; 32], Vec<(Kid, [u8; 32])>) {
    (*ring.pepper().expose(), ring.iter().map(|(kid, key)| (kid, *key.expose())).collect())
}
