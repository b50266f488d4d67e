use regrant_grant as grant;
use regrant_store as store;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The texts of what is kept as an enum: those that `regrant.toml` uses.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident is $kept:path { $($(#[$told:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$told])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every choice there is.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its text.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl From<$kept> for $name {
            fn from(kept: $kept) -> Self {
                use $kept as Kept;
                match kept {
                    $(Kept::$variant => Self::$variant,)+
                }
            }
        }

        impl From<$name> for $kept {
            fn from(told: $name) -> Self {
                use $kept as Kept;
                match told {
                    $($name::$variant => Kept::$variant,)+
                }
            }
        }
    };
}

choice! {
    /// What a refresh does to the refresh token.
    RotationMode is grant::RotationMode {
        /// It is replaced.
        Rotate = "rotate",
        /// It stays.
        Reuse = "reuse",
        /// It is used once, and none follows.
        Consume = "consume",
        /// It stays, and a sibling begins.
        Fork = "fork",
    }
}

choice! {
    /// What the use of a superseded refresh token does.
    OnReuse is grant::OnReuse {
        /// It ends the grant.
        Revoke = "revoke",
        /// It is refused and reported.
        Alert = "alert",
    }
}

choice! {
    /// What becomes narrower when a refresh asks for less scope than was granted.
    ScopeNarrowing is grant::ScopeNarrowing {
        /// The access token of this refresh.
        AccessToken = "access_token",
        /// The grant, for good.
        Grant = "grant",
    }
}

choice! {
    /// What a refresh does to the access tokens that came before it.
    OldAccessTokens is grant::OldAccessTokens {
        /// They live to their end.
        Keep = "keep",
        /// They are good no longer.
        End = "end",
    }
}

choice! {
    /// What access tokens look like.
    AccessTokenFormat is store::AccessTokenFormat {
        /// A JWT signed with ES256.
        JwtEs256 = "jwt_es256",
        /// A JWT signed with EdDSA.
        JwtEdDsa = "jwt_eddsa",
        /// A JWT signed with RS256.
        JwtRs256 = "jwt_rs256",
        /// A text that only the server can read.
        Opaque = "opaque",
    }
}

choice! {
    /// What signs ID tokens.
    IdTokenAlgorithm is store::IdTokenAlgorithm {
        /// RS256, which every client knows.
        Rs256 = "rs256",
        /// ES256.
        Es256 = "es256",
    }
}

choice! {
    /// When users are asked.
    ConsentMode is store::ConsentMode {
        /// Once, and again when the client wants more.
        Remember = "remember",
        /// Every time.
        Always = "always",
        /// Never.
        Skip = "skip",
    }
}

choice! {
    /// Which grants live on when the login session ends.
    OutlivesSession is store::OutlivesSession {
        /// All.
        Always = "always",
        /// Those with the scope `offline_access`.
        WithOfflineAccess = "with_offline_access",
    }
}

choice! {
    /// Whether a user may log in and stay logged in.
    UserStatus is store::UserStatus {
        /// Yes.
        Active = "active",
        /// Not now: nothing ends, and everything waits.
        Locked = "locked",
        /// No: login sessions have ended too.
        Disabled = "disabled",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_read_by_the_text_it_is_written_with() {
        for &mode in RotationMode::ALL {
            let json = serde_json::to_value(mode).unwrap();
            assert_eq!(json, mode.as_str());
            assert_eq!(serde_json::from_value::<RotationMode>(json).unwrap(), mode);
            assert_eq!(RotationMode::from(grant::RotationMode::from(mode)), mode);
        }
        assert!(serde_json::from_str::<RotationMode>("\"Rotate\"").is_err());
    }
}
