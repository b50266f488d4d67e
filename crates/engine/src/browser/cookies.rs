use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_crypto::sha256;
use regrant_grant::SessionId;
use regrant_protocol::Secret;
use subtle::ConstantTimeEq as _;

/// How long a login session lives unless the operator says otherwise: 7 days after the password was entered.
pub const SESSION_SECONDS: u32 = 7 * 24 * 60 * 60;
/// How long a browser is recognised after its last login: 400 days, the most that browsers keep a cookie.
pub const BROWSER_COOKIE_SECONDS: u32 = 400 * 24 * 60 * 60;

/// The cookies of ours that a request carries, as they arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrowserCookies {
    /// [`Cookie::Browser`].
    pub browser: Option<Secret>,
    /// [`Cookie::Session`].
    pub session: Option<Secret>,
    /// [`Cookie::Known`].
    pub known: Option<Secret>,
}

/// The cookies that we give. All are `HttpOnly`, `SameSite=Lax`, `Path=/`, and `Secure` where the issuer is https.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cookie {
    /// 16 random bytes to which requests are bound until somebody has logged in.
    Browser,
    /// The login session: its identifier and its secret.
    Session,
    /// That somebody has logged in with this browser by a name: others who guess at that name do not delay it.
    Known,
}

/// A change of one cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CookieChange {
    /// It is given, for so long.
    Set {
        /// Which.
        cookie: Cookie,
        /// Its value: letters, digits, `-` and `_`.
        value: Secret,
        /// `Max-Age`.
        max_age_seconds: u32,
    },
    /// It is taken away.
    Clear(Cookie),
}

/// The value of [`Cookie::Browser`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BrowserId(pub(super) [u8; 16]);

impl BrowserId {
    /// The value that a browser brought; `None` when it is not one that we give.
    pub(super) fn parse(cookie: &Secret) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(cookie.expose()).ok()?.try_into().ok().map(Self)
    }

    /// Gives the browser this value, or gives it again for the full time.
    pub(super) fn set(self) -> CookieChange {
        let value = Secret::new(URL_SAFE_NO_PAD.encode(self.0));
        CookieChange::Set { cookie: Cookie::Browser, value, max_age_seconds: BROWSER_COOKIE_SECONDS }
    }
}

/// The value of [`Cookie::Session`]: the name of the session, 22 characters, and a secret of as many.
pub(super) struct SessionCookie {
    pub(super) id: SessionId,
    secret: Secret,
}

impl SessionCookie {
    pub(super) fn new(id: SessionId, secret: [u8; 16]) -> Self {
        Self { id, secret: Secret::new(URL_SAFE_NO_PAD.encode(secret)) }
    }

    /// The value that a browser brought; `None` when it is not one that we give.
    pub(super) fn parse(cookie: &Secret) -> Option<Self> {
        let (id, secret) = cookie.expose().split_at_checked(SESSION_ID_CHARACTERS)?;
        let id = SessionId(URL_SAFE_NO_PAD.decode(id).ok()?.try_into().ok()?);
        Some(Self { id, secret: Secret::new(secret.to_owned()) })
    }

    /// What the store keeps of the secret.
    pub(super) fn secret_digest(&self) -> [u8; 32] {
        sha256(self.secret.expose().as_bytes())
    }

    /// Whether it is the secret of which the store keeps `digest`, in constant time.
    pub(super) fn is_of(&self, digest: &[u8; 32]) -> bool {
        self.secret_digest().ct_eq(digest).into()
    }

    /// Gives the browser this value, for as long as the session lives.
    pub(super) fn set(&self, session_seconds: u32) -> CookieChange {
        let value = Secret::new(format!("{}{}", self.id, self.secret.expose()));
        CookieChange::Set { cookie: Cookie::Session, value, max_age_seconds: session_seconds }
    }
}

const SESSION_ID_CHARACTERS: usize = 22;

#[cfg(test)]
mod tests {
    use super::*;

    fn value(change: &CookieChange) -> Secret {
        match change {
            CookieChange::Set { value, .. } => value.clone(),
            CookieChange::Clear(cookie) => panic!("{cookie:?} is set"),
        }
    }

    #[test]
    fn a_cookie_comes_back_as_it_was_given() {
        let browser = BrowserId([7; 16]);
        assert_eq!(BrowserId::parse(&value(&browser.set())), Some(browser));

        let given = SessionCookie::new(SessionId([7; 16]), [8; 16]);
        let back = SessionCookie::parse(&value(&given.set(60))).unwrap();
        assert_eq!(back.id, given.id);
        assert!(back.is_of(&given.secret_digest()));
        assert!(!back.is_of(&SessionCookie::new(SessionId([7; 16]), [9; 16]).secret_digest()));
    }

    #[test]
    fn what_we_did_not_give_is_no_cookie_of_ours() {
        for text in ["", "AAAA", &"é".repeat(11), &"A".repeat(21), &"=".repeat(22)] {
            let cookie = Secret::new(text.to_owned());
            assert_eq!(BrowserId::parse(&cookie), None, "{text:?}");
            assert!(SessionCookie::parse(&cookie).is_none(), "{text:?}");
        }
    }
}
