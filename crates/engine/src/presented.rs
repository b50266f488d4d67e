use regrant_crypto::Purpose;
use regrant_grant::{AuthorityTag, Generation, Grant, GrantId, REFRESH_PREFIX, RefreshFacts, TokenParts, Verdict};
use regrant_protocol::{EpochNumber, Secret};
use regrant_store::FoundToken;

use crate::failures::FailureKey;
use crate::keys::{Keys, Owner};
use crate::{AuthenticatedClient, AuthorizationServer, RequestContext, TokenError};

/// A refresh token whose grant is known by name; whether it is good only the row can tell.
#[derive(Clone)]
pub(crate) enum Presented {
    /// One that passed its prefilter.
    Ours(TokenParts),
    /// The one that was imported with its grant.
    Imported(GrantId),
}

impl Presented {
    /// The grant that it names.
    pub(crate) fn grant(&self) -> GrantId {
        match self {
            Self::Ours(parts) => parts.head.grant,
            Self::Imported(grant) => *grant,
        }
    }

    /// The generation that it is.
    pub(crate) fn generation(&self) -> Generation {
        match self {
            Self::Ours(parts) => parts.head.generation,
            Self::Imported(_) => Generation::IMPORTED,
        }
    }

    /// The epoch that it names; `None` when it was imported.
    pub(crate) fn epoch(&self) -> Option<EpochNumber> {
        match self {
            Self::Ours(parts) => Some(parts.head.epoch),
            Self::Imported(_) => None,
        }
    }

    /// What came of checking its authority tag. An imported string has none: the store found it by its digest.
    pub(crate) fn check_authority(&self, keys: &Keys, row: &Grant) -> AuthorityTag {
        match self {
            Self::Ours(parts) => keys.check_authority(parts, Owner::from(row), Purpose::Refresh),
            Self::Imported(_) => AuthorityTag::Valid,
        }
    }

    /// Writes down what it says of itself, now that its row is known.
    pub(crate) fn tell(&self, facts: &mut RefreshFacts, keys: &Keys, row: &Grant) {
        match self {
            Self::Ours(parts) => {
                (facts.generation, facts.kid, facts.epoch) = (parts.head.generation, parts.head.kid, parts.head.epoch);
                facts.authority_tag = self.check_authority(keys, row);
            }
            Self::Imported(_) => facts.present_imported_token(row),
        }
    }
}

/// The epoch that a token or code with this prefix names; `None` when it is none of ours.
pub(crate) fn epoch_of(prefix: &str, token: &Secret) -> Option<EpochNumber> {
    TokenParts::parse(prefix, token.expose()).ok().map(|parts| parts.head.epoch)
}

impl AuthorizationServer {
    /// A refresh token that may be good. A forged one ends here, without the store.
    pub(crate) async fn present(
        &self,
        context: &RequestContext,
        asker: Option<&AuthenticatedClient>,
        token: &Secret,
    ) -> Result<Presented, TokenError> {
        let Ok(parts) = TokenParts::parse(REFRESH_PREFIX, token.expose()) else {
            let guesses = FailureKey::imported_token(context.source);
            return match self.find_imported(guesses, asker, token.expose()).await? {
                Some(FoundToken::Refresh(grant)) => Ok(Presented::Imported(grant)),
                Some(FoundToken::Access(..)) | None => Err(TokenError::refresh(Verdict::Malformed)),
            };
        };
        self.learn_of_key(parts.head.kid).await?;
        self.keys
            .prefilter(&parts.head, &parts.prefilter_tag, Purpose::Refresh)
            .map_err(|unrecognised| TokenError::refresh(unrecognised.into()))?;
        Ok(Presented::Ours(parts))
    }

    /// The same; one that nobody knows may be that of the client's old server.
    pub(crate) async fn present_or_take_over(
        &self,
        context: &RequestContext,
        asker: &AuthenticatedClient,
        token: &Secret,
    ) -> Result<Presented, TokenError> {
        match self.present(context, Some(asker), token).await {
            Err(unknown @ TokenError::Refresh { verdict: Verdict::Malformed, .. }) => {
                self.take_over(context, asker, token).await?.map(Presented::Imported).ok_or(unknown)
            }
            presented => presented,
        }
    }
}
