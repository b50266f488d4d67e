use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::text::serde_as_text;

/// A resource server that a token is for: an absolute URI without a fragment (RFC 8707 §2).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Resource(Arc<str>);

/// Why a text is not a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResourceError {
    /// No scheme, or a character that a URI may not have.
    #[error("resource is not an absolute URI")]
    NotAbsolute,
    /// It has a fragment.
    #[error("resource has a fragment; leave out the # and what follows")]
    Fragment,
}

impl Resource {
    /// Reads an absolute URI; it is compared byte for byte afterwards.
    ///
    /// # Errors
    /// When it has no scheme, a fragment, or characters outside RFC 3986.
    pub fn parse(text: &str) -> Result<Self, ResourceError> {
        if text.contains('#') {
            return Err(ResourceError::Fragment);
        }
        let (scheme, rest) = text.split_once(':').ok_or(ResourceError::NotAbsolute)?;
        let scheme_is_valid = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        let rest_is_valid = !rest.is_empty()
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(&byte));
        if scheme_is_valid && rest_is_valid { Ok(Self(text.into())) } else { Err(ResourceError::NotAbsolute) }
    }

    /// The URI as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

serde_as_text!(Resource);

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The resources that a grant covers or a request names, in order, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Resources(Vec<Resource>);

impl Resources {
    /// No resource by name.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Reads each of `texts`; one named twice counts once.
    ///
    /// # Errors
    /// The first that is not a resource.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, ResourceError> {
        let mut resources: Vec<Resource> = Vec::new();
        for text in texts {
            let resource = Resource::parse(text)?;
            if !resources.contains(&resource) {
                resources.push(resource);
            }
        }
        Ok(Self(resources))
    }

    /// The resources, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.0.iter()
    }

    /// Whether none is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The part of these that is named in `wider` too.
    #[must_use]
    pub fn within(&self, wider: &Self) -> Self {
        Self(self.0.iter().filter(|resource| wider.0.contains(resource)).cloned().collect())
    }

    /// Whether every resource named here is named in `wider` too.
    #[must_use]
    pub fn is_within(&self, wider: &Self) -> bool {
        self.0.iter().all(|resource| wider.0.contains(resource))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc8707_section_2_a_resource_is_absolute_and_has_no_fragment() {
        for (text, expected) in [
            ("https://api.example/v1?x=1", None),
            ("urn:example:api", None),
            ("foo", Some(ResourceError::NotAbsolute)),
            ("https:", Some(ResourceError::NotAbsolute)),
            ("1a:b", Some(ResourceError::NotAbsolute)),
            ("https://a b", Some(ResourceError::NotAbsolute)),
            ("https://api.example/#x", Some(ResourceError::Fragment)),
        ] {
            assert_eq!(Resource::parse(text).err(), expected, "{text:?}");
        }
    }

    #[test]
    fn rfc8707_section_2_2_a_refresh_may_only_narrow() {
        let granted = Resources::parse(["https://r1", "https://r2", "https://r1"]).unwrap();
        assert_eq!(granted.iter().count(), 2);
        assert!(Resources::parse(["https://r2"]).unwrap().is_within(&granted));
        assert!(!Resources::parse(["https://r3"]).unwrap().is_within(&granted));
    }
}
