use super::Origin;

/// A scope that the foreign server knew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignScope {
    /// The row it was read from.
    pub origin: Origin,
    /// The scope token.
    pub name: String,
    /// What people were told about it.
    pub description: Option<String>,
    /// Whether it was granted to those who asked for nothing.
    pub is_default: bool,
}
