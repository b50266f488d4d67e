use regrant_protocol::Params;

use super::BrowserError;

/// The value of a field that every form of ours has.
pub(super) fn required<'a>(params: &'a Params, name: &'static str) -> Result<&'a str, BrowserError> {
    params.get(name).ok_or(BrowserError::FieldMissing(name))
}
