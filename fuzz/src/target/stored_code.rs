use regrant_store::stored::code as rows;

/// What is kept of a code is written as it was read, or refused.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Ok(code) = rows::from_json(text) else { return };
    let written = rows::to_json(&code);
    let read = rows::from_json(&written).expect("what was written is read back");
    assert_eq!(read, code);
    assert_eq!(rows::to_json(&read), written, "what is kept has one text");
}
