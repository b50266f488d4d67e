use crate::{Color, Logo, ScopeWords};

/// What makes the pages those of their operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand {
    /// What the operator is called on every page.
    pub name: String,
    /// The picture beside the name; without one, a tile with the first letter of the name.
    pub logo: Option<Logo>,
    /// The colour of the main button.
    pub accent: Accent,
    /// What the operator's own scopes mean. They stand before the words for the scopes of OpenID Connect.
    pub scopes: Vec<ScopeWords>,
}

/// One colour for light pages and one for dark pages. What is written on them is black or white, whichever is read
/// better, and no text is written in them, so that every colour will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accent {
    /// On light pages.
    pub light: Color,
    /// On dark pages.
    pub dark: Color,
}

impl Default for Brand {
    /// Our own.
    fn default() -> Self {
        Self { name: "regrant".to_owned(), logo: None, accent: Accent::default(), scopes: Vec::new() }
    }
}

impl Default for Accent {
    fn default() -> Self {
        Self { light: Color::rgb(0x0f, 0x68, 0x5a), dark: Color::rgb(0x6f, 0xd8, 0xc2) }
    }
}

impl Brand {
    /// The first letter of `name`, for the tile that stands for it.
    pub(crate) fn initial(name: &str) -> String {
        name.chars()
            .find(|character| character.is_alphanumeric())
            .map_or_else(String::new, |c| c.to_uppercase().collect())
    }
}
