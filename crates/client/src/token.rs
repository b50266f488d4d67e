use std::fmt;

use regrant_protocol::Secret;

macro_rules! token {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// It prints nothing of itself, compares in constant time, and is wiped when dropped.
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(Secret);

        impl $name {
            /// Takes the token as the server wrote it.
            #[must_use]
            pub fn new(text: String) -> Self {
                Self(Secret::new(text))
            }

            /// The token itself, for the one request that carries it.
            #[must_use]
            pub fn expose(&self) -> &str {
                self.0.expose()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    };
}

token! {
    /// What an API is shown (RFC 6749 §1.4). To a client it is opaque.
    AccessToken
}

token! {
    /// What buys the next access token (RFC 6749 §1.5). To a client it is opaque, and usually good for one use.
    RefreshToken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_does_not_print_itself() {
        assert_eq!(format!("{:?}", AccessToken::new("s3cret".to_owned())), "AccessToken(redacted)");
        assert_eq!(format!("{:?}", RefreshToken::new("s3cret".to_owned())), "RefreshToken(redacted)");
    }
}
