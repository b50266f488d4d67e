//! Secrets where none may be: in what a program writes.

use regrant_grant::{CODE_PREFIX, OPAQUE_ACCESS_PREFIX, REFRESH_PREFIX};

/// The shapes of what opens something: refresh tokens, codes, opaque access tokens, client secrets, and JWTs, whose header
/// begins with `{"`.
const BEGINNINGS: [&str; 5] = [REFRESH_PREFIX, CODE_PREFIX, OPAQUE_ACCESS_PREFIX, "rgs_", JWT];
const JWT: &str = "eyJ";

/// So much of a secret behind its beginning is a secret; what is abbreviated for people is shorter.
const CHARACTERS_MIN: usize = 20;

/// The passwords and client secrets of the demo and of tests, which have no shape.
const KNOWN: [&str; 5] = ["TestSecret", "brent123", "VGVzdENsaWVudDpUZXN0U2VjcmV0", "sesame", "correct+horse"];

/// The first token in a line of output, as far as it has to be seen to be found again.
#[must_use]
pub fn token_in(line: &str) -> Option<&str> {
    let found = BEGINNINGS.into_iter().flat_map(|beginning| line.match_indices(beginning));
    found.map(|(start, beginning)| (start, start + beginning.len(), beginning)).find_map(
        |(start, behind, beginning)| {
            let is_of_a_token = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
            // Random names of grants and tokens may have these letters in their midst.
            if beginning == JWT && line[..start].ends_with(is_of_a_token) {
                return None;
            }
            let rest = line[behind..].find(|character| !is_of_a_token(character)).unwrap_or(line.len() - behind);
            (rest >= CHARACTERS_MIN).then(|| &line[start..behind + CHARACTERS_MIN])
        },
    )
}

/// The first token, password or client secret in a line of a log.
#[must_use]
pub fn secret_in(line: &str) -> Option<&str> {
    token_in(line).or_else(|| KNOWN.into_iter().find(|known| line.contains(known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_found() {
        let token = "abcdefghij-_ABCDEFGH0123456789";
        for line in [
            format!("refused rgr_{token}"),
            format!("{{\"code\":\"rgc_{token}\"}}"),
            format!("rga_{token}"),
            format!("secret=rgs_{token}&x"),
            format!("Bearer eyJ{token}.{token}.{token}"),
            format!("rgr_short, rgr_{token}"),
            "client_secret=TestSecret".to_owned(),
            "password \"brent123\"".to_owned(),
        ] {
            assert!(secret_in(&line).is_some(), "{line}");
        }
        for line in [
            "rgr_AQABxyz…",
            "rgr_",
            "eyJhbGciOiJFUzI1NiJ9…",
            "grant=0123456789abcdef0123456789abcdef",
            "\"token\":\"U3RCZ7ReyJ6TcL8k4F0q6QAAAAHmSvbuaqw5TPFC\"",
            "",
        ] {
            assert_eq!(secret_in(line), None, "{line}");
        }
        assert_eq!(token_in("TestSecret"), None);
    }
}
