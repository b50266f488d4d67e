use std::collections::BTreeMap;

use super::document::Document;

/// The claims of a user: a list of `{"type":…,"value":…}`, in old versions of `{"name":"value"}`. Of two with one name the
/// first counts.
pub(super) fn claims(user: &Document) -> BTreeMap<String, String> {
    let mut claims = BTreeMap::new();
    for claim in user.values("claims") {
        let Some(document) = Document::of(claim) else { continue };
        if let (Some(name), Some(value)) = (document.text("type"), document.text("value")) {
            claims.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        } else if let Some((name, value)) = claim.as_object().and_then(|object| object.iter().next())
            && let Some(value) = value.as_str()
        {
            claims.entry(name.clone()).or_insert_with(|| value.to_owned());
        }
    }
    claims
}
