use std::borrow::Cow;

use super::choice::{AllowedValue, ChoiceValue};

/// The longest name of a tenant, in bytes.
const TENANT_BYTES_MAX: usize = 100;

/// The one tenant that is served at paths of its own, `/t/{tenant}/…`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tenant(Option<String>);

impl Tenant {
    /// No tenant.
    pub const NONE: Self = Self(None);

    /// The name, where there is a tenant.
    #[must_use]
    pub fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl ChoiceValue for Tenant {
    const ALLOWED: &'static [AllowedValue] = &[
        AllowedValue { value: "", does: "no tenant has paths of its own" },
        AllowedValue { value: "NAME", does: "the tenant of this name: letters, digits, hyphens, underscores and dots" },
    ];

    fn parse(text: &str) -> Option<Self> {
        let is_name = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let is_path = text != "." && text != ".." && text.len() <= TENANT_BYTES_MAX;
        (is_name && is_path).then(|| Self((!text.is_empty()).then(|| text.to_owned())))
    }

    fn name(&self) -> Cow<'static, str> {
        self.0.clone().unwrap_or_default().into()
    }
}
