use crate::Brand;
use crate::web_link::WebLink;

/// A client as people see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// Its name, or its identifier when it has none.
    pub name: String,
    /// Its home page. Like the two below, it is shown only when it is an `https` or `http` URL.
    pub client_uri: Option<String>,
    /// Its privacy policy.
    pub policy_uri: Option<String>,
    /// Its terms of service.
    pub tos_uri: Option<String>,
    /// Where the browser goes afterwards, for people (the host, or the scheme of an app); `None` when it stays here.
    pub destination: Option<String>,
    /// The scheme of that address, which `form-action` has to admit.
    pub destination_scheme: Option<String>,
}

impl Client {
    pub(crate) fn initial(&self) -> String {
        Brand::initial(&self.name)
    }

    pub(crate) fn home(&self) -> Option<WebLink<'_>> {
        self.client_uri.as_deref().and_then(WebLink::new)
    }

    pub(crate) fn policy(&self) -> Option<WebLink<'_>> {
        self.policy_uri.as_deref().and_then(WebLink::new)
    }

    pub(crate) fn terms(&self) -> Option<WebLink<'_>> {
        self.tos_uri.as_deref().and_then(WebLink::new)
    }
}
