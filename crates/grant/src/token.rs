use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_protocol::{EpochNumber, Kid, Secret};

use crate::{Generation, GrantId};

/// What a refresh token begins with.
pub const REFRESH_PREFIX: &str = "rgr_";
/// What an authorization code begins with.
pub const CODE_PREFIX: &str = "rgc_";
/// What an opaque access token begins with.
pub const OPAQUE_ACCESS_PREFIX: &str = "rga_";
/// The length of refresh tokens and codes, prefix included.
pub const TOKEN_CHARACTERS: usize = 72;
/// The length of the head, which both tags cover.
pub const HEAD_BYTES: usize = 23;

const VERSION: u8 = 1;
const PREFILTER_BYTES: usize = 8;
const AUTHORITY_BYTES: usize = 20;
const TOKEN_BYTES: usize = HEAD_BYTES + PREFILTER_BYTES + AUTHORITY_BYTES;

/// What a token says about itself: under which key and in which epoch it was made, and which generation of which grant it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Head {
    /// The master key.
    pub kid: Kid,
    /// The epoch of the store.
    pub epoch: EpochNumber,
    /// The grant.
    pub grant: GrantId,
    /// The generation.
    pub generation: Generation,
}

/// The text is not a token by its form: prefix, length, alphabet or version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token by its form")]
pub struct MalformedToken;

impl Head {
    /// The bytes of the head: version, kid, epoch, grant id, generation (big endian).
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        bytes[0] = VERSION;
        bytes[1] = self.kid.0;
        bytes[2] = self.epoch.0;
        bytes[3..19].copy_from_slice(&self.grant.0);
        bytes[19..].copy_from_slice(&self.generation.0.to_be_bytes());
        bytes
    }

    /// Reads the bytes of a head.
    ///
    /// # Errors
    /// When the version is not ours.
    pub fn from_bytes(bytes: &[u8; HEAD_BYTES]) -> Result<Self, MalformedToken> {
        if bytes[0] != VERSION {
            return Err(MalformedToken);
        }
        let grant = bytes[3..19].try_into().map_err(|_| MalformedToken)?;
        let generation = bytes[19..].try_into().map_err(|_| MalformedToken)?;
        Ok(Self {
            kid: Kid(bytes[1]),
            epoch: EpochNumber(bytes[2]),
            grant: GrantId(grant),
            generation: Generation(u32::from_be_bytes(generation)),
        })
    }
}

/// A refresh token or code, taken apart: 51 bytes, 68 characters of base64url behind the prefix.
#[derive(Clone, Copy)]
pub struct TokenParts {
    /// What it says about itself.
    pub head: Head,
    /// The tag that rejects forgeries without the database.
    pub prefilter_tag: [u8; PREFILTER_BYTES],
    /// The tag that needs master key and row.
    pub authority_tag: [u8; AUTHORITY_BYTES],
}

impl TokenParts {
    /// Reads a token that begins with `prefix`. Only the canonical encoding is accepted.
    ///
    /// # Errors
    /// When prefix, length, alphabet or version is not ours.
    pub fn parse(prefix: &str, token: &str) -> Result<Self, MalformedToken> {
        let encoded = token.strip_prefix(prefix).ok_or(MalformedToken)?;
        if token.len() != TOKEN_CHARACTERS {
            return Err(MalformedToken);
        }
        let mut bytes = [0; TOKEN_BYTES];
        let written = URL_SAFE_NO_PAD.decode_slice(encoded, &mut bytes).map_err(|_| MalformedToken)?;
        if written != TOKEN_BYTES {
            return Err(MalformedToken);
        }
        let (head, tags) = bytes.split_first_chunk::<HEAD_BYTES>().ok_or(MalformedToken)?;
        let (prefilter_tag, authority_tag) = tags.split_first_chunk::<PREFILTER_BYTES>().ok_or(MalformedToken)?;
        Ok(Self {
            head: Head::from_bytes(head)?,
            prefilter_tag: *prefilter_tag,
            authority_tag: authority_tag.try_into().map_err(|_| MalformedToken)?,
        })
    }

    /// The token as text behind `prefix`.
    #[must_use]
    pub fn encode(&self, prefix: &str) -> Secret {
        let mut bytes = [0; TOKEN_BYTES];
        bytes[..HEAD_BYTES].copy_from_slice(&self.head.to_bytes());
        bytes[HEAD_BYTES..HEAD_BYTES + PREFILTER_BYTES].copy_from_slice(&self.prefilter_tag);
        bytes[HEAD_BYTES + PREFILTER_BYTES..].copy_from_slice(&self.authority_tag);
        let mut token = String::with_capacity(TOKEN_CHARACTERS);
        token.push_str(prefix);
        URL_SAFE_NO_PAD.encode_string(bytes, &mut token);
        Secret::new(token)
    }
}

impl std::fmt::Debug for TokenParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Token({} generation {})", self.head.grant, self.head.generation.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::{Config, RngSeed};

    use super::*;

    fn parts() -> TokenParts {
        TokenParts {
            head: Head {
                kid: Kid(0xA1),
                epoch: EpochNumber(0xA2),
                grant: GrantId([0xA3; 16]),
                generation: Generation(0xB1B2_B3B4),
            },
            prefilter_tag: [0xFB; 8],
            authority_tag: [0xD1; 20],
        }
    }

    fn contents(token: &TokenParts) -> (Head, [u8; PREFILTER_BYTES], [u8; AUTHORITY_BYTES]) {
        (token.head, token.prefilter_tag, token.authority_tag)
    }

    #[test]
    fn a_token_is_version_kid_epoch_grant_generation_and_two_tags() {
        let token = parts().encode(REFRESH_PREFIX);
        let bytes = URL_SAFE_NO_PAD.decode(token.expose().strip_prefix("rgr_").unwrap()).unwrap();
        let mut layout = vec![1, 0xA1, 0xA2];
        layout.extend([0xA3; 16]);
        layout.extend([0xB1, 0xB2, 0xB3, 0xB4]);
        layout.extend([0xFB; 8]);
        layout.extend([0xD1; 20]);
        assert_eq!(bytes, layout);
        assert_eq!(parts().head.to_bytes(), layout[..HEAD_BYTES]);
    }

    #[test]
    fn the_characters_carry_the_bytes_exactly_so_that_no_bit_is_spare() {
        let encoded_characters = TOKEN_CHARACTERS - REFRESH_PREFIX.len();
        assert_eq!((TOKEN_BYTES, encoded_characters), (51, 68));
        assert_eq!(encoded_characters * 6, TOKEN_BYTES * 8);
        assert_eq!(parts().encode(CODE_PREFIX).expose().len(), TOKEN_CHARACTERS);
    }

    #[test]
    fn only_the_canonical_encoding_is_a_token() {
        let canonical = parts().encode(REFRESH_PREFIX).expose().to_owned();
        let body = &canonical[4..];
        assert!(body.contains(['-', '_']), "the alphabets differ in this token");
        let other_version = |version: u8| {
            let mut bytes = URL_SAFE_NO_PAD.decode(body).unwrap();
            bytes[0] = version;
            format!("rgr_{}", URL_SAFE_NO_PAD.encode(bytes))
        };
        assert!(TokenParts::parse(REFRESH_PREFIX, &canonical).is_ok());
        for (why, token) in [
            ("nothing", String::new()),
            ("only the prefix", "rgr_".to_owned()),
            ("no prefix", body.to_owned()),
            ("prefix of a code", format!("rgc_{body}")),
            ("prefix of an access token", format!("rga_{body}")),
            ("prefix in capitals", format!("RGR_{body}")),
            ("prefix twice", format!("rgr_rgr_{body}")),
            ("padding", format!("{canonical}=")),
            ("padding within the length", format!("{}=", &canonical[..71])),
            ("padding of a whole group", format!("{}====", &canonical[..68])),
            ("the standard alphabet", format!("rgr_{}", body.replace('-', "+").replace('_', "/"))),
            ("a space before", format!(" {canonical}")),
            ("a space behind", format!("{canonical} ")),
            ("a space within the length", format!("{} ", &canonical[..71])),
            ("a newline behind", format!("{canonical}\n")),
            ("a newline within the length", format!("rgr_\n{}", &body[1..])),
            ("a zero byte behind", format!("{canonical}\0")),
            ("one character less", canonical[..71].to_owned()),
            ("one character more", format!("{canonical}A")),
            ("one group less", canonical[..68].to_owned()),
            ("one group more", format!("{canonical}AAAA")),
            ("two bytes in one character", format!("{}é", &canonical[..70])),
            ("version 0", other_version(0)),
            ("version 2", other_version(2)),
            ("version 255", other_version(255)),
        ] {
            assert_eq!(TokenParts::parse(REFRESH_PREFIX, &token).err(), Some(MalformedToken), "{why}: {token:?}");
        }
    }

    #[test]
    fn another_character_anywhere_is_another_token_or_none() {
        let canonical = parts().encode(REFRESH_PREFIX).expose().to_owned();
        for position in 0..TOKEN_CHARACTERS {
            for byte in 0..=0x7F_u8 {
                let mut bytes = canonical.clone().into_bytes();
                if std::mem::replace(&mut bytes[position], byte) == byte {
                    continue;
                }
                let changed = String::from_utf8(bytes).unwrap();
                if let Ok(read) = TokenParts::parse(REFRESH_PREFIX, &changed) {
                    assert_ne!(contents(&read), contents(&parts()), "position {position}, {:?}", char::from(byte));
                    assert_eq!(read.encode(REFRESH_PREFIX).expose(), changed);
                }
            }
        }
    }

    #[test]
    fn a_token_prints_grant_and_generation_only() {
        let printed = format!("{:?}", parts());
        assert_eq!(printed, "Token(o6Ojo6Ojo6Ojo6Ojo6Ojow generation 2981278644)");
    }

    proptest! {
        #![proptest_config(Config { failure_persistence: None, rng_seed: RngSeed::Fixed(20_260), ..Config::default() })]

        #[test]
        fn what_is_encoded_is_read_back(
            head in any::<(u8, u8, [u8; 16], u32)>(),
            prefilter_tag in any::<[u8; 8]>(),
            authority_tag in any::<[u8; 20]>(),
        ) {
            let (kid, epoch, grant, generation) = head;
            let head = Head {
                kid: Kid(kid),
                epoch: EpochNumber(epoch),
                grant: GrantId(grant),
                generation: Generation(generation),
            };
            let token = TokenParts { head, prefilter_tag, authority_tag };
            for prefix in [REFRESH_PREFIX, CODE_PREFIX] {
                let encoded = token.encode(prefix);
                let read = TokenParts::parse(prefix, encoded.expose()).unwrap();
                prop_assert_eq!(contents(&read), contents(&token));
            }
            prop_assert_eq!(Head::from_bytes(&head.to_bytes()), Ok(head));
        }

        #[test]
        fn what_is_read_is_encoded_as_it_was(token in "rgr_AQ[A-Za-z0-9_-]{66}") {
            // "AQ" carries the version and the first bits of the kid.
            let encoded = TokenParts::parse(REFRESH_PREFIX, &token).unwrap().encode(REFRESH_PREFIX);
            prop_assert_eq!(encoded.expose(), &token);
        }

        #[test]
        fn nothing_that_arrives_makes_the_reader_panic(text in "(rgr_)?\\PC{0,80}") {
            let _ = TokenParts::parse(REFRESH_PREFIX, &text);
        }
    }
}
