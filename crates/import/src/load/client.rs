use regrant_grant::ClientKind;
use regrant_protocol::{RedirectUri, TokenEndpointAuthMethod};
use regrant_store::{ClientDefaults, ClientSettings};

use super::grant_types::grant_types;
use super::known_scopes::KnownScopes;
use super::policy::policy;
use crate::{ForeignClient, ForeignSecret};

/// The longest name that users know a client by, in characters.
const NAME_CHARACTERS_MAX: usize = 80;

/// A client as it is to be kept.
#[derive(Clone, Debug)]
pub struct LoadedClient {
    /// Whether it has a secret.
    pub kind: ClientKind,
    /// Everything but the credential, which is for the caller to make of the [`ForeignSecret`] where the client is confidential.
    pub settings: ClientSettings,
    /// What could not be taken over as it was, for people to read.
    pub remarks: Vec<String>,
}

/// What a foreign client becomes under `defaults`; `scopes` are those of its server.
///
/// What hinders logging in alone is left away and remarked, for the tokens of the client shall go on. Whether the settings obey the
/// rules of registration is for the caller to ask.
#[must_use]
pub fn load_client(foreign: &ForeignClient, defaults: &ClientDefaults, scopes: &KnownScopes) -> LoadedClient {
    let mut remarks = foreign.remarks.clone();
    let kind = if foreign.is_public { ClientKind::Public } else { ClientKind::Confidential };
    remarks.extend(about_secrets(foreign, kind));
    let redirect_uris = redirect_uris(foreign, kind, &mut remarks);
    let (grant_types, said) = grant_types(&foreign.grant_types, kind, !redirect_uris.is_empty());
    remarks.extend(said);
    let (policy, said) = policy(defaults.policy, foreign, kind);
    remarks.extend(said);
    let scope = match &foreign.scope {
        Some(scope) => scope.clone(),
        None => {
            let (everything, beyond) = scopes.everything_for(&foreign.id);
            if beyond > 0 {
                remarks.push(format!(
                    "it might ask for any scope; {beyond} that none of its tokens has were too many for one client"
                ));
            }
            everything
        }
    };
    let taken = scopes.carried_beyond(&foreign.id, &scope);
    if !taken.is_empty() {
        remarks.push(format!(
            "it may not ask for {} any more, which tokens of it have: refreshes leave that out",
            taken.join(" ")
        ));
    }
    let (auth_methods, said) = auth_methods(foreign.auth_method.as_deref(), kind);
    remarks.extend(said);
    let name = foreign.name.clone().filter(|name| {
        let is_shown = is_shown(name);
        if !is_shown {
            remarks.push(format!(
                "its name is not one line of at most {NAME_CHARACTERS_MAX} characters: it goes by its id"
            ));
        }
        is_shown
    });
    let settings = ClientSettings {
        name,
        auth_methods,
        grant_types,
        redirect_uris,
        default_scope: scopes.defaults_within(&scope),
        policy,
        ..defaults.settings(kind, scope)
    };
    LoadedClient { kind, settings, remarks }
}

/// How a client authenticates: as it was held to, or in every way that there is for its kind.
fn auth_methods(held_to: Option<&str>, kind: ClientKind) -> (Vec<TokenEndpointAuthMethod>, Option<String>) {
    use TokenEndpointAuthMethod::{ClientSecretBasic, ClientSecretPost};
    if kind == ClientKind::Public {
        return (vec![TokenEndpointAuthMethod::None], None);
    }
    match held_to.map(|name| (name, TokenEndpointAuthMethod::ALL.into_iter().find(|method| method.as_str() == name))) {
        None => (vec![ClientSecretBasic, ClientSecretPost], None),
        Some((_, Some(method))) => (vec![method], None),
        Some((name, None)) => {
            let told = format!("it authenticated by {name}, which is not offered here: it has to send a secret");
            (vec![ClientSecretBasic, ClientSecretPost], Some(told))
        }
    }
}

fn about_secrets(foreign: &ForeignClient, kind: ClientKind) -> Vec<String> {
    let mut remarks = Vec::new();
    if kind == ClientKind::Public && foreign.secret != ForeignSecret::None {
        remarks.push("it might act without its secret: it is a public client now, and has none".to_owned());
    }
    let missing = match foreign.secret {
        ForeignSecret::Encrypted => Some("its secret is encrypted with a key that is not in the database"),
        ForeignSecret::None => Some("it has no secret, and is not public"),
        ForeignSecret::Plain(_) | ForeignSecret::Wso2Sha256(_) => None,
    };
    if let Some(missing) = missing.filter(|_| kind == ClientKind::Confidential) {
        remarks.push(format!("{missing}: give it one with `regrant client rotate-secret {}`", foreign.id));
    }
    if kind == ClientKind::Confidential && foreign.other_secret != ForeignSecret::None {
        remarks.push("it has two secrets, of which the newer one was taken over: the other is refused".to_owned());
    }
    remarks
}

fn redirect_uris(foreign: &ForeignClient, kind: ClientKind, remarks: &mut Vec<String>) -> Vec<RedirectUri> {
    remarks.extend(foreign.refused_redirect_uris.iter().map(|why| format!("a redirect URI was left out: {why}")));
    let (kept, left_out): (Vec<_>, Vec<_>) =
        foreign.redirect_uris.iter().cloned().partition(|uri| kind == ClientKind::Public || !uri.is_private_use());
    remarks.extend(left_out.iter().map(|uri| {
        format!(
            "a redirect URI was left out: {} belongs to an app, which cannot keep a secret (RFC 8252 section 8.5)",
            uri.as_str()
        )
    }));
    let mut different = Vec::new();
    for uri in kept {
        if !different.contains(&uri) {
            different.push(uri);
        }
    }
    different
}

fn is_shown(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() <= NAME_CHARACTERS_MAX && !name.chars().any(char::is_control)
}

#[cfg(test)]
pub(super) mod tests {
    use regrant_protocol::{ClientId, GrantType, Scope, Secret};

    use super::*;
    use crate::{ForeignLifetimes, ForeignRotation, GrantTypes, Origin};

    /// A confidential client of which nothing is said.
    pub(crate) fn foreign(id: &str) -> ForeignClient {
        ForeignClient {
            origin: Origin { table: "oauth_clients".to_owned(), key: id.to_owned() },
            id: ClientId::parse(id).unwrap(),
            secret: ForeignSecret::Plain(Secret::new("testpass".to_owned())),
            other_secret: ForeignSecret::None,
            is_public: false,
            auth_method: None,
            is_disabled: false,
            name: None,
            redirect_uris: Vec::new(),
            refused_redirect_uris: Vec::new(),
            grant_types: GrantTypes::All,
            scope: None,
            lifetimes: ForeignLifetimes::default(),
            rotation: ForeignRotation::default(),
            remarks: Vec::new(),
        }
    }

    fn load(foreign: &ForeignClient) -> LoadedClient {
        load_client(foreign, &ClientDefaults::BUILT_IN, &KnownScopes::default())
    }

    #[test]
    fn a_client_authenticates_as_it_did() {
        use TokenEndpointAuthMethod::{ClientSecretBasic, ClientSecretPost, None as Nothing};
        let plain = || ForeignSecret::Plain(Secret::new("testpass".to_owned()));
        let (public, secret) = (ClientKind::Public, ClientKind::Confidential);
        for (secret_kept, is_public, method, kind, methods, remarks) in [
            (plain(), false, None, secret, &[ClientSecretBasic, ClientSecretPost][..], 0),
            (plain(), false, Some("client_secret_post"), secret, &[ClientSecretPost], 0),
            (ForeignSecret::None, true, None, public, &[Nothing], 0),
            (ForeignSecret::None, false, Some("private_key_jwt"), secret, &[ClientSecretBasic, ClientSecretPost], 2),
            (plain(), true, None, public, &[Nothing], 1),
            (ForeignSecret::Encrypted, false, None, secret, &[ClientSecretBasic, ClientSecretPost], 1),
        ] {
            let foreign = ForeignClient {
                secret: secret_kept,
                is_public,
                auth_method: method.map(str::to_owned),
                ..foreign("shop")
            };
            let loaded = load(&foreign);
            assert_eq!((loaded.kind, loaded.settings.auth_methods.as_slice()), (kind, methods));
            assert_eq!(loaded.remarks.len(), remarks, "{:?}", loaded.remarks);
            assert_eq!(loaded.settings.credential, None, "it is the caller's to make");
        }
    }

    #[test]
    fn what_hinders_logging_in_alone_is_left_away_and_told() {
        let uri = |text| RedirectUri::parse(text).unwrap();
        let loaded = load(&ForeignClient {
            name: Some("two\nlines".to_owned()),
            redirect_uris: vec![uri("com.example.app:/cb"), uri("https://a.example/cb"), uri("https://a.example/cb")],
            refused_redirect_uris: vec!["a pattern".to_owned()],
            ..foreign("shop")
        });
        assert_eq!(loaded.settings.redirect_uris, [uri("https://a.example/cb")]);
        assert_eq!((loaded.settings.name, loaded.remarks.len()), (None, 3));
        assert!(loaded.settings.grant_types.contains(&GrantType::AuthorizationCode));

        let public = ForeignClient {
            secret: ForeignSecret::None,
            is_public: true,
            redirect_uris: vec![uri("com.example.app:/cb")],
            ..foreign("app")
        };
        assert_eq!(load(&public).settings.redirect_uris, [uri("com.example.app:/cb")]);
    }

    #[test]
    fn a_scope_that_is_null_is_everything_and_one_that_is_not_is_itself() {
        let mut scopes = KnownScopes::default();
        let id = foreign("shop").id;
        scopes.see(&id, &Scope::parse("basic old").unwrap());
        let of = |scope: Option<&str>| {
            let scope = scope.map(|text| Scope::parse(text).unwrap());
            load_client(&ForeignClient { scope, ..foreign("shop") }, &ClientDefaults::BUILT_IN, &scopes)
        };
        let everything = of(None);
        assert_eq!((everything.settings.scope.as_str(), everything.remarks.len()), ("basic old", 0));
        assert_eq!(everything.settings.default_scope, Scope::empty(), "it gets nothing without asking");
        let narrow = of(Some("basic new"));
        assert_eq!(narrow.settings.scope.as_str(), "basic new");
        assert!(narrow.remarks[0].contains("old"), "{:?}", narrow.remarks);
        assert_eq!(of(Some("")).settings.scope, Scope::empty());
    }
}
