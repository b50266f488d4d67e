use regrant_grant::Policy;
use regrant_protocol::{Lifetime, Scope, Timestamp};
use regrant_store::ClientSettings;

use crate::{Expiry, ForeignClient};

/// How long a token goes on that its own system would never have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshLifetime {
    /// As long as a grant of its client at most: the client's absolute lifetime.
    OfClient,
    /// As the operator says.
    Of(Lifetime),
}

/// What the tokens of one client are taken over under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenTerms {
    /// What a token without a scope of its own stands for.
    pub(super) scope: Scope,
    access_lifetime: Lifetime,
    absolute_lifetime: Lifetime,
    endless: Lifetime,
    /// Whether no refresh reaches beyond the end of the token that began it (WSO2).
    ends_with_its_token: bool,
}

impl TokenTerms {
    /// The terms of a client.
    #[must_use]
    pub fn of(foreign: &ForeignClient, settings: &ClientSettings, endless: RefreshLifetime) -> Self {
        let Policy { access_lifetime, absolute_lifetime, .. } = settings.policy;
        let endless = match endless {
            RefreshLifetime::OfClient => absolute_lifetime,
            RefreshLifetime::Of(lifetime) => lifetime,
        };
        Self {
            scope: settings.scope.clone(),
            access_lifetime,
            absolute_lifetime,
            endless,
            ends_with_its_token: foreign.rotation.ends_with_its_token(),
        }
    }

    /// How long access tokens live.
    pub(super) fn access_lifetime(&self) -> Lifetime {
        self.access_lifetime
    }

    /// When a token ends that is taken over at `now`: as in its own system, and where that never ends it, as these terms say.
    pub(super) fn end(&self, expiry: Expiry, now: Timestamp) -> Option<Timestamp> {
        match expiry {
            Expiry::At(end) => Some(end),
            Expiry::Never => self.endless.end(now),
        }
    }

    /// When the grant of a token ends whatever happens: its lifetime begins now, as nobody knows when it began; it never ends before
    /// its token would have.
    pub(super) fn absolute_end(&self, token_ends_at: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        if self.ends_with_its_token {
            return token_ends_at;
        }
        match (self.absolute_lifetime.end(now), token_ends_at) {
            (Some(absolute), Some(token)) => Some(absolute.max(token)),
            (None, _) | (_, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use regrant_store::ClientDefaults;

    use super::*;
    use crate::ForeignRotation;
    use crate::load::client::tests::foreign;

    #[test]
    fn a_token_ends_as_it_would_have_and_an_endless_one_as_the_terms_say() {
        const YEAR: i64 = 365 * 86_400;
        let at = Timestamp::from_seconds;
        let now = at(1_000);
        let settings = |extends| {
            let foreign = ForeignClient { rotation: ForeignRotation { renews: None, extends }, ..foreign("shop") };
            let settings = ClientDefaults::BUILT_IN.settings(regrant_grant::ClientKind::Confidential, Scope::empty());
            (foreign, settings)
        };
        let (day, never) = (RefreshLifetime::Of(Lifetime::from_seconds(86_400)), RefreshLifetime::Of(Lifetime::Never));
        let of_client = RefreshLifetime::OfClient;
        let year = Some(at(1_000 + YEAR));
        for (what, extends, endless, expiry, end, absolute) in [
            ("as it was", None, of_client, Expiry::At(at(5_000)), Some(at(5_000)), year),
            (
                "later than a grant lives",
                None,
                of_client,
                Expiry::At(at(2 * YEAR)),
                Some(at(2 * YEAR)),
                Some(at(2 * YEAR)),
            ),
            ("never, as a grant", None, of_client, Expiry::Never, year, year),
            ("never, a day", None, day, Expiry::Never, Some(at(87_400)), year),
            ("never, for ever", None, never, Expiry::Never, None, None),
            ("not extended", Some(false), of_client, Expiry::At(at(5_000)), Some(at(5_000)), Some(at(5_000))),
        ] {
            let (foreign, settings) = settings(extends);
            let terms = TokenTerms::of(&foreign, &settings, endless);
            let ends_at = terms.end(expiry, now);
            assert_eq!((ends_at, terms.absolute_end(ends_at, now)), (end, absolute), "{what}");
        }
    }
}
