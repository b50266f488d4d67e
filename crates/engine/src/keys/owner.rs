use regrant_grant::{Binding, Grant, GrantSecret};
use regrant_protocol::ClientId;

/// Whose token it is, as the row tells it: what a tag binds a token to beside its head.
#[derive(Clone, Copy)]
pub(crate) struct Owner<'a> {
    pub(crate) secret: &'a GrantSecret,
    pub(crate) client: &'a ClientId,
    pub(crate) binding: Binding,
}

impl<'a> From<&'a Grant> for Owner<'a> {
    fn from(row: &'a Grant) -> Self {
        Self { secret: &row.secret, client: &row.client, binding: row.binding }
    }
}

impl<'a> Owner<'a> {
    /// Of a code, which is bound to no key: the one that the grant is bound to is fixed when its code is redeemed.
    pub(crate) fn of_code(row: &'a Grant) -> Self {
        Self { binding: Binding::None, ..Self::from(row) }
    }
}
