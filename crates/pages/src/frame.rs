/// What every page has in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The operator's name.
    pub(crate) brand: String,
    /// The path of the issuer, before every path of ours.
    pub(crate) base: String,
    /// The path of the stylesheet.
    pub(crate) style: String,
    /// The path of the picture in the browser's tab.
    pub(crate) icon: String,
    /// The path of the picture above the page.
    pub(crate) logo: String,
    /// The picture says the name, so that it is not written beside it.
    pub(crate) logo_shows_name: bool,
}
