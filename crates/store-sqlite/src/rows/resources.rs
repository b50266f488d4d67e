use regrant_protocol::{Resource, ResourceError, Resources};

/// The resources as they are stored: a resource is a URI, which has no space.
pub(crate) fn to_text(resources: &Resources) -> Option<String> {
    let texts: Vec<&str> = resources.iter().map(Resource::as_str).collect();
    (!texts.is_empty()).then(|| texts.join(" "))
}

/// Reads stored resources.
pub(crate) fn from_text(stored: Option<String>) -> Result<Resources, ResourceError> {
    stored.map_or(Ok(Resources::none()), |texts| Resources::parse(texts.split(' ')))
}
