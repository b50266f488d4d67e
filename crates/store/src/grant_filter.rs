use regrant_grant::{AccessVerdict, Grant};
use regrant_protocol::{ClientId, Subject};

/// Which grants are meant: of each family its root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantFilter {
    /// Those of this user only. They are found at once when revoked ones are not wanted, and by looking through all grants
    /// otherwise.
    pub user: Option<Subject>,
    /// Those to this client only.
    pub client: Option<ClientId>,
    /// Those whose state is [`AccessVerdict::Revoked`] too, whether they were revoked one by one or by a cutoff, or ended with
    /// their session.
    pub with_revoked: bool,
}

/// A grant as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedGrant {
    /// The grant.
    pub grant: Grant,
    /// What has become of it, in itself and by its client, user and login session.
    pub state: AccessVerdict,
}
