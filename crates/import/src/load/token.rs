use regrant_grant::{GrantId, GrantSecret, ImportedBirth, ImportedToken};
use regrant_protocol::{Scope, Subject, Timestamp};
use regrant_store::{ImportedAccessToken, ImportedGrant};

use super::staged_tokens::StagedToken;
use super::terms::TokenTerms;
use crate::Expiry;
use crate::moment::LAST;

/// What the caller adds to a token to make a grant of it.
#[derive(Clone, Debug)]
pub struct GrantParts {
    /// Its name; 12 bytes of it at least are random.
    pub id: GrantId,
    /// 16 random bytes.
    pub secret: GrantSecret,
    /// The user that it speaks for, as they are called here.
    pub subject: Subject,
    /// When it is taken over.
    pub now: Timestamp,
}

/// The grant of a refresh token.
#[must_use]
pub fn refresh_grant(token: &StagedToken, parts: GrantParts, terms: &TokenTerms) -> ImportedGrant {
    let ends_at = terms.end(token.expires_at, parts.now);
    ImportedGrant {
        refresh_token: Some(ImportedToken(*token.digest.as_bytes())),
        access_tokens: Vec::new(),
        birth: birth(token, parts, ends_at, terms),
    }
}

/// The grant of an access token that no refresh token came with.
#[must_use]
pub fn access_grant(token: &StagedToken, parts: GrantParts, terms: &TokenTerms) -> ImportedGrant {
    let access = access_token(token, terms, parts.now);
    let ends_at = Some(access.expires_at);
    // It ends with its only token.
    let birth = ImportedBirth { absolute_expires_at: ends_at, ..birth(token, parts, ends_at, terms) };
    ImportedGrant { birth, refresh_token: None, access_tokens: vec![access] }
}

/// An access token, to stand in a grant.
#[must_use]
pub fn access_token(token: &StagedToken, terms: &TokenTerms, now: Timestamp) -> ImportedAccessToken {
    ImportedAccessToken {
        token: ImportedToken(*token.digest.as_bytes()),
        scope: scope(token, terms),
        issued_at: token.issued_at.unwrap_or(now).min(now),
        expires_at: terms.end(token.expires_at, now).unwrap_or(LAST),
    }
}

fn birth(token: &StagedToken, parts: GrantParts, ends_at: Option<Timestamp>, terms: &TokenTerms) -> ImportedBirth {
    let GrantParts { id, secret, subject, now } = parts;
    let created_at = token.issued_at.unwrap_or(now).min(now);
    ImportedBirth {
        id,
        secret,
        client: token.client.clone(),
        subject,
        scope: scope(token, terms),
        created_at,
        authenticated_at: created_at,
        idle_expires_at: ends_at,
        absolute_expires_at: terms.absolute_end(ends_at, now),
        ends_elsewhere_at: match token.expires_at {
            Expiry::At(end) => Some(end),
            Expiry::Never => None,
        },
        access_lifetime: terms.access_lifetime(),
    }
}

/// SQL's NULL stands for whatever the client may ask for.
fn scope(token: &StagedToken, terms: &TokenTerms) -> Scope {
    token.scope.clone().unwrap_or_else(|| terms.scope.clone())
}

#[cfg(test)]
mod tests {
    use regrant_grant::ClientKind;
    use regrant_protocol::ClientId;
    use regrant_store::{ClientDefaults, ClientSettings};

    use super::*;
    use crate::load::client::tests::foreign as client;
    use crate::load::staged_tokens::StagedKind;
    use crate::load::terms::RefreshLifetime;
    use crate::{Expiry, TokenDigest, UserStanding};

    const NOW: Timestamp = Timestamp::from_seconds(100_000);
    const YEAR: i64 = 365 * 86_400;

    fn parts() -> GrantParts {
        GrantParts {
            id: GrantId([1; 16]),
            secret: GrantSecret::new([2; 16]),
            subject: Subject::parse("alice").unwrap(),
            now: NOW,
        }
    }

    fn terms() -> TokenTerms {
        let settings: ClientSettings =
            ClientDefaults::BUILT_IN.settings(ClientKind::Confidential, Scope::parse("read write").unwrap());
        TokenTerms::of(&client("shop"), &settings, RefreshLifetime::OfClient)
    }

    fn token(kind: StagedKind, scope: Option<&str>, issued_at: Option<i64>, expires_at: Expiry) -> StagedToken {
        StagedToken {
            kind,
            row: 1,
            digest: TokenDigest::from_bytes([7; 32]),
            client: ClientId::parse("shop").unwrap(),
            user: "alice".to_owned(),
            standing: UserStanding::Known,
            scope: scope.map(|text| Scope::parse(text).unwrap()),
            issued_at: issued_at.map(Timestamp::from_seconds),
            expires_at,
        }
    }

    #[test]
    fn a_refresh_token_becomes_a_grant_with_its_own_times_and_scope() {
        let at = Timestamp::from_seconds;
        let refresh = |scope, issued_at, expires_at| token(StagedKind::Refresh, scope, issued_at, expires_at);
        for (what, foreign, scope, created_at, ends_at) in [
            ("as it says", refresh(Some("read"), Some(90_000), Expiry::At(at(200_000))), "read", 90_000, 200_000),
            ("without a scope", refresh(Some(""), Some(90_000), Expiry::At(at(200_000))), "", 90_000, 200_000),
            ("NULL is all", refresh(None, None, Expiry::At(at(200_000))), "read write", 100_000, 200_000),
            ("from the future", refresh(None, Some(300_000), Expiry::At(at(400_000))), "read write", 100_000, 400_000),
            ("for ever", refresh(None, None, Expiry::Never), "read write", 100_000, 100_000 + YEAR),
        ] {
            let ImportedGrant { birth, refresh_token, access_tokens } = refresh_grant(&foreign, parts(), &terms());
            assert_eq!((birth.scope.as_str(), birth.created_at), (scope, at(created_at)), "{what}");
            assert_eq!((birth.idle_expires_at, birth.authenticated_at), (Some(at(ends_at)), at(created_at)), "{what}");
            assert_eq!(birth.absolute_expires_at, Some(at(100_000 + YEAR)), "{what}");
            assert_eq!((refresh_token, access_tokens), (Some(ImportedToken([7; 32])), Vec::new()), "{what}");
        }
    }

    #[test]
    fn an_access_token_alone_becomes_a_grant_that_ends_with_it() {
        let at = Timestamp::from_seconds;
        for (expires_at, ends_at) in [(Expiry::At(at(103_600)), 103_600), (Expiry::Never, 100_000 + YEAR)] {
            let foreign = token(StagedKind::Access, None, None, expires_at);
            let grant = access_grant(&foreign, parts(), &terms());
            assert_eq!((grant.refresh_token, grant.access_tokens.len()), (None, 1));
            let token = &grant.access_tokens[0];
            assert_eq!((token.token, token.scope.as_str()), (ImportedToken([7; 32]), "read write"));
            assert_eq!((token.issued_at, token.expires_at), (NOW, at(ends_at)));
            let ends = (grant.birth.idle_expires_at, grant.birth.absolute_expires_at);
            assert_eq!(ends, (Some(at(ends_at)), Some(at(ends_at))));
        }
    }
}
