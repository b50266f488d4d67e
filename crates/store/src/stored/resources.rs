//! Resource servers (RFC 8707).

use regrant_protocol::{Resource, ResourceError, Resources};

/// The resources as they are stored: a resource is a URI, which has no space.
#[must_use]
pub fn to_text(resources: &Resources) -> Option<String> {
    let texts: Vec<&str> = resources.iter().map(Resource::as_str).collect();
    (!texts.is_empty()).then(|| texts.join(" "))
}

/// Reads stored resources.
///
/// # Errors
/// When one of them is none.
pub fn from_text(stored: Option<String>) -> Result<Resources, ResourceError> {
    stored.map_or(Ok(Resources::none()), |texts| Resources::parse(texts.split(' ')))
}
