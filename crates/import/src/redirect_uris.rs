use regrant_protocol::RedirectUri;

use crate::shortened;

/// The URIs of a list separated by blanks, those that can be registered and those that cannot, with the reason.
pub(crate) fn redirect_uris(list: &str) -> (Vec<RedirectUri>, Vec<String>) {
    let mut accepted = Vec::new();
    let mut refused = Vec::new();
    for uri in list.split_whitespace() {
        match RedirectUri::parse(uri) {
            Ok(uri) => accepted.push(uri),
            Err(error) => refused.push(shortened(&error.to_string())),
        }
    }
    (accepted, refused)
}
