use regrant_protocol::{Profile, Secret};

use super::Origin;

/// A person who can log in, as their system knew them.
#[derive(Clone, Debug)]
pub struct ForeignUser {
    /// The row it was read from.
    pub origin: Origin,
    /// What the system's tokens call them: the `sub` that its clients know.
    pub subject: String,
    /// What they type to log in.
    pub username: String,
    /// How they prove themselves.
    pub password: ForeignPassword,
    /// What is known about them.
    pub profile: Profile,
    /// Whether they were shut out.
    pub is_disabled: bool,
    /// What of them could not be read and is left out, for people to read.
    pub remarks: Vec<String>,
}

/// A password in the form in which its system kept it, by scheme, with the parts as they are in the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForeignPassword {
    /// There is none: they log in some other way.
    None,
    /// There is one that cannot be taken over. Their tokens can.
    Unreadable {
        /// Where it stands.
        column: &'static str,
        /// What is wrong with it, without any of it.
        fault: String,
    },
    /// bshaffer: hexadecimal SHA-1 of the password, without a salt.
    Sha1Hex(Secret),
    /// DotAuth: upper hexadecimal SHA-256 of password ‖ the server's setting `Salt`, which is not in the database.
    DotauthSha256Hex(Secret),
    /// WSO2: base64 of 32 bytes. They are SHA-256 of password ‖ salt, or PBKDF2 where `user-mgt.xml` says so: the row
    /// looks the same.
    Wso2 {
        /// `UM_USER_PASSWORD`.
        hash: Secret,
        /// `UM_SALT_VALUE`, as the text that it is: that text is what is hashed.
        salt: Secret,
    },
    /// `$2a$`, `$2b$` or `$2y$`.
    Bcrypt(Secret),
    /// `$P$` or `$H$`.
    Phpass(Secret),
    /// A PHC string of Argon2.
    Argon2(Secret),
    /// Old Joomla: `md5(password ‖ salt):salt`; without a salt where there is no colon.
    JoomlaMd5 {
        /// 32 hexadecimal digits.
        hash: Secret,
        /// What follows the colon.
        salt: Secret,
    },
}
