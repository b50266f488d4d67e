use std::env;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use regrant_client::{AssertionAudience, Authentication, PrivateKeyJwt};
use regrant_protocol::Secret;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// How a client proves who it is, and where its secret lies. The secret itself is nowhere but there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub(crate) enum ClientAuthentication {
    /// Not at all: a public client.
    None,
    /// In the `Authorization` header.
    ClientSecretBasic(SecretPlace),
    /// In the form.
    ClientSecretPost(SecretPlace),
    /// By a signature.
    PrivateKeyJwt(KeyPlace),
}

/// Where a private key lies, and how it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyPlace {
    key_file: PathBuf,
    /// What the server calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    audience: Audience,
}

/// Whom the signature is meant for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Audience {
    /// The issuer alone.
    #[default]
    Issuer,
    /// The URL of the token endpoint, for servers that know nothing else.
    TokenEndpoint,
}

/// Where a secret lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SecretPlace {
    /// The file; without it the variable.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_file: Option<PathBuf>,
}

impl SecretPlace {
    /// The file that was named, else the variable; `None` where there is neither.
    ///
    /// # Errors
    /// When the file cannot be found.
    pub(crate) fn find(file: Option<&Path>) -> Result<Option<Self>> {
        if let Some(file) = file {
            // Later commands run in other directories.
            let file = fs::canonicalize(file).with_context(|| file.display().to_string())?;
            return Ok(Some(Self { secret_file: Some(file) }));
        }
        let is_in_environment = [SECRET_VARIABLE, SECRET_FILE_VARIABLE].iter().any(|name| env::var_os(name).is_some());
        Ok(is_in_environment.then_some(Self { secret_file: None }))
    }

    fn read(&self) -> Result<Secret> {
        if let Some(file) = &self.secret_file {
            return read(file);
        }
        match (env::var(SECRET_VARIABLE), env::var_os(SECRET_FILE_VARIABLE)) {
            (Ok(_), Some(_)) => {
                bail!("both {SECRET_VARIABLE} and {SECRET_FILE_VARIABLE} are set; leave one of them out")
            }
            (Ok(secret), None) => Ok(Secret::new(secret)),
            (Err(_), Some(file)) => read(Path::new(&file)),
            (Err(_), None) => bail!(
                "the client's secret is not there: set {SECRET_VARIABLE} or {SECRET_FILE_VARIABLE}, or log in again with \
                 --client-secret-file FILE"
            ),
        }
    }
}

impl KeyPlace {
    /// The key in a file, which is tried at once.
    ///
    /// # Errors
    /// When it is not there, or no key that can be used.
    pub(crate) fn find(file: &Path, key_id: Option<&str>, audience: Audience) -> Result<Self> {
        let key_file = fs::canonicalize(file).with_context(|| file.display().to_string())?;
        let place = Self { key_file, key_id: key_id.map(str::to_owned), audience };
        place.read().map(|_| place)
    }

    fn read(&self) -> Result<PrivateKeyJwt> {
        let told = || format!("the client's private key in {}", self.key_file.display());
        let text = text(&self.key_file, KEY_BYTES_MAX).with_context(told)?;
        let is_jwk = text.trim_start().starts_with('{');
        let key = if is_jwk { PrivateKeyJwt::from_jwk(&text) } else { PrivateKeyJwt::from_pem(&text) };
        let key = key.with_context(told)?.for_audience(match self.audience {
            Audience::Issuer => AssertionAudience::Issuer,
            Audience::TokenEndpoint => AssertionAudience::TokenEndpoint,
        });
        Ok(match &self.key_id {
            Some(key_id) => key.with_key_id(key_id),
            None => key,
        })
    }
}

impl ClientAuthentication {
    /// The error where there is a secret to be had, and none is there.
    pub(crate) fn missing() -> anyhow::Error {
        anyhow::anyhow!("there is no secret of the client: use --client-secret-file FILE, or set {SECRET_VARIABLE}")
    }

    /// The proof itself, read from where it lies.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) fn read(&self) -> Result<Authentication> {
        Ok(match self {
            Self::None => Authentication::None,
            Self::ClientSecretBasic(place) => Authentication::Basic(place.read()?),
            Self::ClientSecretPost(place) => Authentication::Post(place.read()?),
            Self::PrivateKeyJwt(place) => Authentication::PrivateKeyJwt(place.read()?),
        })
    }
}

/// The one line of a file.
fn read(path: &Path) -> Result<Secret> {
    let text = text(path, SECRET_BYTES_MAX).with_context(|| format!("the client's secret in {}", path.display()))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() || line.contains('\n') {
        bail!("{} has to have one line with the client's secret, and nothing else", path.display());
    }
    Ok(Secret::new(line.to_owned()))
}

/// All of a file, which is not longer than that.
fn text(path: &Path, bytes_max: usize) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(bytes_max + 1));
    File::open(path)?.take(bytes_max as u64 + 1).read_to_string(&mut text)?;
    if text.len() > bytes_max {
        Err(io::Error::other(format!("it is longer than {bytes_max} bytes")))
    } else {
        Ok(text)
    }
}

/// The longest file with a private key that is read, in bytes.
const KEY_BYTES_MAX: usize = 16 * 1024;
/// The longest secret that is read, in bytes.
const SECRET_BYTES_MAX: usize = 4096;
/// The variable with the secret of the client.
const SECRET_VARIABLE: &str = "REGRANT_TOKEN_CLIENT_SECRET";
/// The variable with the name of a file that has it.
const SECRET_FILE_VARIABLE: &str = "REGRANT_TOKEN_CLIENT_SECRET_FILE";
/// The variable with the password of a user.
pub(crate) const PASSWORD_VARIABLE: &str = "REGRANT_TOKEN_PASSWORD";
/// The variables that no other program is given.
pub(crate) const SECRET_VARIABLES: [&str; 3] = [SECRET_VARIABLE, SECRET_FILE_VARIABLE, PASSWORD_VARIABLE];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_one_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        for (text, expected) in [
            ("s3cret", Some("s3cret")),
            ("s3cret\n", Some("s3cret")),
            ("s3cret\r\n", Some("s3cret")),
            ("", None),
            ("\n", None),
            ("a\nb\n", None),
        ] {
            fs::write(&path, text).unwrap();
            let secret = SecretPlace::find(Some(&path)).unwrap().unwrap().read().ok();
            assert_eq!(secret.as_ref().map(Secret::expose), expected, "{text:?}");
        }
        fs::write(&path, "x".repeat(SECRET_BYTES_MAX + 1)).unwrap();
        assert!(read(&path).is_err());
    }
}
