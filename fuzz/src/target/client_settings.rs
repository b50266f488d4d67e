use regrant_store::stored::client_settings as rows;

/// A client's stored settings are written as they were read, or refused.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Ok(settings) = rows::from_json(text) else { return };
    let written = rows::to_json(&settings);
    let read = rows::from_json(&written).expect("what was written is read back");
    assert_eq!(read, settings);
    assert_eq!(rows::to_json(&read), written, "settings have one text");
}
