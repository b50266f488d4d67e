//! Secrets and passwords in the forms in which they are kept here.

use std::fmt::Write as _;

use regrant_crypto::{
    CLIENT_SECRET_BYTES_MAX, ClientSecret, ForeignHash, Pepper, StoredPassword, StoredSecret, SystemEntropy, random,
};
use regrant_import::load::is_random;
use regrant_import::{ForeignPassword, ForeignSecret};
use regrant_protocol::Secret;
use regrant_store::Credential;

use super::options::ImportOptions;

/// How the old system hashed passwords, as far as its database does not say.
pub(super) struct PasswordForm {
    salt: Option<Secret>,
    digest: String,
    pbkdf2_prf: String,
    pbkdf2_iterations: u32,
}

impl PasswordForm {
    /// What was said about it.
    ///
    /// # Errors
    /// When the salt cannot be read.
    pub(super) fn of(options: &ImportOptions) -> anyhow::Result<Self> {
        Ok(Self {
            salt: options.salt()?,
            digest: options.password_digest.clone(),
            pbkdf2_prf: options.pbkdf2_prf.clone(),
            pbkdf2_iterations: options.pbkdf2_iterations,
        })
    }

    /// What is kept of a password; `None` where there is none.
    ///
    /// # Errors
    /// Why it cannot be kept, without any of it.
    pub(super) fn keep(&self, password: &ForeignPassword) -> Result<Option<Credential>, String> {
        let stored = match password {
            ForeignPassword::None => return Ok(None),
            ForeignPassword::Unreadable { fault, .. } => return Err(fault.clone()),
            ForeignPassword::Sha1Hex(hash) => ForeignHash::of_bshaffer(hash.expose()).map(StoredPassword::Foreign),
            ForeignPassword::DotauthSha256Hex(hash) => {
                let salt = self.salt.as_ref().map_or("", Secret::expose);
                ForeignHash::of_dotauth(hash.expose(), salt).map(StoredPassword::Foreign)
            }
            ForeignPassword::Wso2 { hash, salt } if self.digest == "PBKDF2" => {
                let (prf, iterations) = (&self.pbkdf2_prf, self.pbkdf2_iterations);
                ForeignHash::of_wso2_pbkdf2(prf, iterations, hash.expose(), salt.expose()).map(StoredPassword::Foreign)
            }
            ForeignPassword::Wso2 { hash, salt } => {
                ForeignHash::of_wso2(&self.digest, hash.expose(), Some(salt.expose())).map(StoredPassword::Foreign)
            }
            ForeignPassword::Bcrypt(hash) | ForeignPassword::Phpass(hash) => {
                ForeignHash::parse(hash.expose()).map(StoredPassword::Foreign)
            }
            ForeignPassword::Argon2(hash) => {
                let stored = StoredPassword::parse(hash.expose()).map_err(|error| error.to_string())?;
                return Ok(Some(Credential::new(stored.to_text())));
            }
            ForeignPassword::JoomlaMd5 { hash, salt } => {
                let text = Secret::new(format!("{}:{}", hash.expose(), salt.expose()));
                let stored = StoredPassword::of_joomla(text.expose()).map_err(|error| error.to_string())?;
                return Ok(Some(Credential::new(stored.to_text())));
            }
        };
        stored.map(|stored| Some(Credential::new(stored.to_text()))).map_err(|error| error.to_string())
    }
}

/// Why a secret cannot be kept; `None` where it can.
pub(super) fn fault_of(secret: &ForeignSecret) -> Option<String> {
    match secret {
        ForeignSecret::Plain(secret) if secret.expose().len() > CLIENT_SECRET_BYTES_MAX => {
            Some(format!("it has {} bytes, and {CLIENT_SECRET_BYTES_MAX} may be sent", secret.expose().len()))
        }
        ForeignSecret::Plain(_) | ForeignSecret::Wso2Sha256(_) | ForeignSecret::Encrypted | ForeignSecret::None => None,
    }
}

/// What is kept of the secret of a confidential client: an HMAC under the pepper where a machine made it, and Argon2id, which takes
/// some tens of milliseconds, where a person may have chosen it. One that nobody has is replaced by one that nobody knows.
pub(super) fn keep_secret(pepper: &Pepper, secret: &ForeignSecret) -> Credential {
    let stored = match secret {
        ForeignSecret::Plain(plain) => match ClientSecret::new(plain.expose()) {
            Ok(secret) if is_random(plain.expose()) => StoredSecret::keyed(pepper, &secret),
            Ok(secret) => StoredSecret::chosen(&secret, random(&SystemEntropy)),
            Err(_) => unknown(pepper),
        },
        ForeignSecret::Wso2Sha256(digest) => {
            let hash = ForeignHash::parse(&format!("sha256:{}", hex(digest.as_bytes())));
            StoredSecret::Chosen(StoredPassword::Foreign(hash.expect("it is the text form of a digest")))
        }
        ForeignSecret::Encrypted | ForeignSecret::None => unknown(pepper),
    };
    Credential::new(stored.to_text())
}

fn unknown(pepper: &Pepper) -> StoredSecret {
    StoredSecret::keyed(pepper, &ClientSecret::generate(&SystemEntropy))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes whatever is written to it");
        text
    })
}

#[cfg(test)]
mod tests {
    use regrant_crypto::sha256;
    use regrant_import::TokenDigest;

    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_secret_is_kept_in_the_form_that_it_needs() {
        let pepper = Pepper::from_bytes([5; 32]);
        let random = "9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad0159f86d081884c7d65";
        let hashed = TokenDigest::of("pomegranate", sha256);
        for (foreign, form, right) in [
            (ForeignSecret::Plain(secret("testpass")), "$argon2id$", Some("testpass")),
            (ForeignSecret::Plain(secret(random)), "hmac:", Some(random)),
            (ForeignSecret::Wso2Sha256(hashed), "sha256:", Some("pomegranate")),
            (ForeignSecret::Encrypted, "hmac:", None),
            (ForeignSecret::None, "hmac:", None),
        ] {
            assert_eq!(fault_of(&foreign), None);
            let kept = keep_secret(&pepper, &foreign);
            assert!(kept.expose().starts_with(form), "{form}");
            let stored = StoredSecret::parse(kept.expose()).unwrap();
            if let Some(right) = right {
                assert!(stored.matches(&pepper, &ClientSecret::new(right).unwrap()), "{form}");
            }
            assert!(!stored.matches(&pepper, &ClientSecret::new("wrong").unwrap()), "{form}");
        }
        assert!(fault_of(&ForeignSecret::Plain(secret(&"x".repeat(1025)))).is_some());
    }

    #[test]
    fn a_password_verifies_in_the_form_in_which_it_was_kept() {
        let form = |salt: Option<&str>, digest: &str| PasswordForm {
            salt: salt.map(secret),
            digest: digest.to_owned(),
            pbkdf2_prf: "PBKDF2WithHmacSHA256".to_owned(),
            pbkdf2_iterations: 10_000,
        };
        let wso2 = |hash, salt| ForeignPassword::Wso2 { hash: secret(hash), salt: secret(salt) };
        let salt = "c2FsdHNhbHRzYWx0c2FsdA==";
        for (foreign, form, password) in [
            // python3: hashlib.sha1(b"brent123").hexdigest()
            (
                ForeignPassword::Sha1Hex(secret("35d3f3604337a503fd2efd0d76591ddbd2fb6579")),
                form(None, "SHA-256"),
                "brent123",
            ),
            // hashlib.sha256(b"sesame" + b"pepper").hexdigest().upper()
            (
                ForeignPassword::DotauthSha256Hex(secret(
                    "4C0F66021203E8AC404BDE4D754DCDD1DAC6D59398B7D4B1AC26E177F9181FD6",
                )),
                form(Some("pepper"), "SHA-256"),
                "sesame",
            ),
            // base64.b64encode(hashlib.sha256(b"admin" + salt).digest())
            (wso2("wcpYc6Iqx3k8rRp61TEEd91QnuRdxJpz77YEWyTjGrE=", salt), form(None, "SHA-256"), "admin"),
            // base64.b64encode(hashlib.pbkdf2_hmac("sha256", b"wonder", salt, 10000, 32))
            (wso2("mLecPjpXjRJtQcCwUlsFK9Dfr0FN9dcy/ms07xC8ZcM=", salt), form(None, "PBKDF2"), "wonder"),
            // hashlib.md5(b"joomla" + b"salt").hexdigest()
            (
                ForeignPassword::JoomlaMd5 { hash: secret("6943963b3ef22b3bd891d84ef3359247"), salt: secret("salt") },
                form(None, "SHA-256"),
                "joomla",
            ),
        ] {
            let kept = form.keep(&foreign).unwrap().unwrap();
            let stored = StoredPassword::parse(kept.expose()).unwrap();
            assert!(stored.matches(password.as_bytes()), "{foreign:?}");
            assert!(!stored.matches(b"wrong"));
        }
        assert_eq!(form(None, "SHA-256").keep(&ForeignPassword::None), Ok(None));
        let malformed = form(None, "SHA-256").keep(&ForeignPassword::Sha1Hex(secret("hunter2"))).unwrap_err();
        assert!(!malformed.contains("hunter2"), "{malformed}");
    }
}
