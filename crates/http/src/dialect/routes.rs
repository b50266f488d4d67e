use std::collections::BTreeSet;

use regrant_protocol::Metadata;

use super::{Dialect, Dialects};
use crate::router::TOKEN_PATHS;

/// What is served at which paths, below the issuer: our own paths, those of the dialect, and those of its tenant.
pub(crate) struct Routes {
    pub(crate) token: BTreeSet<String>,
    pub(crate) revocation: BTreeSet<String>,
    pub(crate) introspection: BTreeSet<String>,
    pub(crate) authorization: BTreeSet<String>,
    pub(crate) userinfo: BTreeSet<String>,
    pub(crate) jwks: BTreeSet<String>,
    pub(crate) metadata: BTreeSet<String>,
    pub(crate) by_option: BTreeSet<String>,
}

/// Why there can be no dialect at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialectPathError {
    /// Not a path, or one with characters that a path of an endpoint has no use for.
    #[error("it is no path: begin with a slash, and use letters, digits and -_./ only")]
    NoPath,
    /// Something else is there.
    #[error("there is something else at that path; only token, revocation and introspection endpoints have a dialect")]
    Taken,
}

impl Routes {
    pub(crate) fn of(dialects: &Dialects) -> Self {
        let mut routes = Self::of_default(&dialects.default);
        for (path, dialect) in &dialects.at {
            if dialects.check_path(path).is_err() || routes.is_for_clients(path) {
                continue;
            }
            let endpoint = match path.as_str() {
                path if dialect.paths.revocation.contains(&path) => &mut routes.revocation,
                path if dialect.paths.introspection.contains(&path) => &mut routes.introspection,
                path if dialect.paths.by_option.contains(&path) => &mut routes.by_option,
                _ => &mut routes.token,
            };
            endpoint.insert(path.clone());
        }
        routes
    }

    fn of_default(dialect: &Dialect) -> Self {
        let with_own = |own: &[&'static str], theirs: &[&'static str]| -> BTreeSet<String> {
            let tenant = dialect.tenant.as_deref();
            let of_tenant = theirs.iter().filter_map(|path| Some(format!("/t/{}{path}", tenant?)));
            own.iter().chain(theirs).map(|path| (*path).to_owned()).chain(of_tenant).collect()
        };
        let paths = &dialect.paths;
        Self {
            token: with_own(&TOKEN_PATHS, paths.token),
            revocation: with_own(&[Metadata::REVOCATION_PATH], paths.revocation),
            introspection: with_own(&[Metadata::INTROSPECTION_PATH], paths.introspection),
            authorization: with_own(&[Metadata::AUTHORIZATION_PATH], paths.authorization),
            userinfo: with_own(&[Metadata::USERINFO_PATH], paths.userinfo),
            jwks: with_own(&[Metadata::JWKS_PATH], paths.jwks),
            metadata: with_own(&["/.well-known/openid-configuration"], paths.metadata),
            by_option: with_own(&[], paths.by_option),
        }
    }

    /// Whether an endpoint that speaks a dialect is at `path`.
    fn is_for_clients(&self, path: &str) -> bool {
        [&self.token, &self.revocation, &self.introspection, &self.by_option].iter().any(|paths| paths.contains(path))
    }

    /// Whether one that speaks none is there.
    fn is_for_others(&self, path: &str) -> bool {
        let others = [&self.authorization, &self.userinfo, &self.jwks, &self.metadata];
        others.iter().any(|paths| paths.contains(path))
    }
}

impl Dialects {
    /// Whether a dialect can be spoken at `path`. Paths of `at` at which none can are passed over.
    ///
    /// # Errors
    /// [`DialectPathError`].
    pub fn check_path(&self, path: &str) -> Result<(), DialectPathError> {
        let is_written_well = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte));
        if path.len() < 2 || !path.starts_with('/') || !is_written_well {
            return Err(DialectPathError::NoPath);
        }
        let below = |parent: &str| path == parent || path.starts_with(&format!("{parent}/"));
        let is_of_people = [
            Metadata::LOGIN_PATH,
            Metadata::CONSENT_PATH,
            Metadata::ACCOUNT_PATH,
            Metadata::END_SESSION_PATH,
            regrant_pages::ASSETS_PATH,
            "/.well-known",
        ]
        .into_iter()
        .any(below);
        let is_taken = is_of_people || Routes::of_default(&self.default).is_for_others(path);
        if is_taken { Err(DialectPathError::Taken) } else { Ok(()) }
    }
}
