use regrant_grant::ClientKind;
use regrant_protocol::GrantType;

use crate::GrantTypes;

/// The grant types that a client had, as far as there are such here and it may have them, and what is to be said about the others.
pub(super) fn grant_types(
    foreign: &GrantTypes,
    kind: ClientKind,
    has_redirect_uri: bool,
) -> (Vec<GrantType>, Vec<String>) {
    let mut remarks = Vec::new();
    let named = match foreign {
        GrantTypes::All => GrantType::ALL.to_vec(),
        GrantTypes::Listed(names) => {
            let mut known = Vec::new();
            for name in names {
                match GrantType::parse(name) {
                    Some(grant_type) if !known.contains(&grant_type) => known.push(grant_type),
                    Some(_) => {}
                    None => remarks.push(format!("its grant type {name:?} is not offered here")),
                }
            }
            known
        }
    };
    // Whoever may do everything misses nothing that it cannot do.
    let is_said = *foreign != GrantTypes::All;
    let may_have = |grant_type: &GrantType| match grant_type {
        GrantType::ClientCredentials if kind == ClientKind::Public => {
            Some("without a secret it cannot act for itself (RFC 6749 section 4.4): it has no client_credentials")
        }
        GrantType::AuthorizationCode if !has_redirect_uri => {
            Some("it has no redirect URI that can be taken over: it has no authorization_code until it gets one")
        }
        GrantType::AuthorizationCode | GrantType::ClientCredentials | GrantType::Password | GrantType::RefreshToken => {
            None
        }
    };
    let allowed = named.into_iter().filter(|grant_type| {
        let objection = may_have(grant_type);
        remarks.extend(objection.filter(|_| is_said).map(str::to_owned));
        objection.is_none()
    });
    let allowed = allowed.collect();
    (allowed, remarks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_all_that_the_client_can_have_and_an_empty_list_is_none() {
        use GrantType::{AuthorizationCode, ClientCredentials, Password, RefreshToken};
        let listed = |names: &[&str]| GrantTypes::Listed(names.iter().map(|name| (*name).to_owned()).collect());
        let (secret, public) = (ClientKind::Confidential, ClientKind::Public);
        for (foreign, kind, has_uri, expected, remarks) in [
            (GrantTypes::All, secret, true, &[AuthorizationCode, ClientCredentials, Password, RefreshToken][..], 0),
            (GrantTypes::All, public, false, &[Password, RefreshToken], 0),
            (listed(&[]), secret, true, &[], 0),
            (listed(&["refresh_token", "password", "password"]), secret, false, &[RefreshToken, Password], 0),
            (listed(&["implicit", "refresh_token"]), secret, true, &[RefreshToken], 1),
            (listed(&["authorization_code", "refresh_token"]), secret, false, &[RefreshToken], 1),
            (listed(&["client_credentials", "refresh_token"]), public, true, &[RefreshToken], 1),
        ] {
            let (kept, said) = grant_types(&foreign, kind, has_uri);
            assert_eq!((kept.as_slice(), said.len()), (expected, remarks), "{foreign:?} {kind:?}: {said:?}");
        }
    }
}
