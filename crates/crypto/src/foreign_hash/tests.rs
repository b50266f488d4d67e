use super::ForeignHashError::{Cost, Function, Malformed, Salt, TooLong, Unknown};
use super::ForeignHashForm as Of;
use super::known_answers::WSO2_SALT;
use super::*;
use crate::{PasswordHashError, StoredPassword, StoredPasswordError};

#[test]
fn what_another_system_kept_matches_the_password_it_was_made_of_and_no_other() {
    for (made, text, password) in known_answers::all() {
        let made = made.unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(made.to_text(), text);
        let read = StoredPassword::parse(text).unwrap();
        assert_eq!(read.to_text(), text);
        for stored in [made, read] {
            assert!(stored.matches(password.as_bytes()), "{text}");
            for wrong in [format!("{password} "), format!("x{password}"), "wrong".to_owned()] {
                assert!(!stored.matches(wrong.as_bytes()), "{text} with {wrong}");
            }
            let is_ours = text.starts_with("$argon2id$");
            assert_eq!(stored.is_to_be_replaced(password.as_bytes()), !is_ours, "{text}");
        }
    }
}

/// PHP 8.2 and Python's bcrypt: `crypt(str_repeat('a', 80), '$2y$04$......................')`.
#[test]
fn bcrypt_looks_at_72_bytes_and_what_it_did_not_see_is_not_hashed_anew() {
    let stored = StoredPassword::parse("$2y$04$......................UaUp2CqHXn14N7RprrzoDsNv91ahi36").unwrap();
    for (bytes, is_right, is_to_be_replaced) in
        [(71, false, true), (72, true, true), (73, true, false), (80, true, false)]
    {
        let password = vec![b'a'; bytes];
        assert_eq!(stored.matches(&password), is_right, "{bytes}");
        assert_eq!(stored.is_to_be_replaced(&password), is_to_be_replaced, "{bytes}");
    }
    let of_nothing = StoredPassword::parse("$2a$04$......................w74bL5gU7LSJClZClCa.Pkz14aTv/XO").unwrap();
    assert!(!of_nothing.matches(b"a"));
}

#[test]
fn a_password_that_is_too_long_matches_nothing() {
    let of = |bytes: usize| {
        let password = vec![b'a'; bytes];
        let hash = hex::encode(&crate::sha256(&password));
        ForeignHash::parse(&format!("sha256:{hash}")).unwrap().matches(&password)
    };
    assert!(of(PASSWORD_BYTES_MAX));
    assert!(!of(PASSWORD_BYTES_MAX + 1));
}

#[test]
fn what_is_malformed_or_costs_too_much_is_refused() {
    let digest = "9cc2ae8a1ba7a93da39b46fc1019c481";
    let key = "ab".repeat(32);
    let bcrypt = |head: &str| format!("{head}Fi9ZaWtCdXZ00PwKrxTOSe1pMhNc1zVEWsqSW/Tt75HUxWIabNn.G");
    let phpass = |cost: char| format!("$P${cost}saltSALTg6fciLIMYNG5yjWIdDeVw0");
    let pbkdf2 = |iterations: &str, key: &str, salt: &str| format!("pbkdf2-sha256:{iterations}:{key}:{salt}");
    let salt = |bytes: usize| "s".repeat(bytes);
    let cases = [
        (String::new(), Some(Unknown)),
        ("sesame".to_owned(), Some(Unknown)),
        (digest.to_owned(), Some(Unknown)),
        (format!("md4:{digest}"), Some(Unknown)),
        (format!("MD5:{digest}"), Some(Unknown)),
        ("$1$salt$hash".to_owned(), Some(Unknown)),
        ("$pbkdf2-sha256$1000$c2FsdA$a2V5".to_owned(), Some(Unknown)),
        ("x".repeat(FOREIGN_HASH_BYTES_MAX + 1), Some(TooLong { bytes: 321 })),
        (format!("md5:{digest}"), None),
        (format!("md5:{digest}:salt:with:colons"), None),
        (format!("md5:{digest}:{}", salt(FOREIGN_SALT_BYTES_MAX)), None),
        (format!("md5:{digest}:{}", salt(FOREIGN_SALT_BYTES_MAX + 1)), Some(Salt(Of::Digest, 129))),
        (format!("md5:{digest}:"), Some(Malformed(Of::Digest))),
        (format!("md5:{}", &digest[1..]), Some(Malformed(Of::Digest))),
        (format!("md5:{digest}00"), Some(Malformed(Of::Digest))),
        (format!("md5:{}", digest.to_uppercase()), Some(Malformed(Of::Digest))),
        (format!("sha1:{digest}"), Some(Malformed(Of::Digest))),
        ("sha256:".to_owned(), Some(Malformed(Of::Digest))),
        (pbkdf2("1", &key, "s"), None),
        (pbkdf2("2000000", &key, "s:s"), None),
        (pbkdf2("2000001", &key, "s"), Some(Cost(Of::Pbkdf2, 2_000_001))),
        (pbkdf2("4294967295", &key, "s"), Some(Cost(Of::Pbkdf2, u32::MAX))),
        (pbkdf2("0", &key, "s"), Some(Cost(Of::Pbkdf2, 0))),
        (pbkdf2("4294967296", &key, "s"), Some(Malformed(Of::Pbkdf2))),
        (pbkdf2("-1", &key, "s"), Some(Malformed(Of::Pbkdf2))),
        (pbkdf2("+1", &key, "s"), Some(Malformed(Of::Pbkdf2))),
        (pbkdf2("01", &key, "s"), Some(Malformed(Of::Pbkdf2))),
        (pbkdf2("1", &"ab".repeat(PBKDF2_KEY_BYTES_MIN), "s"), None),
        (pbkdf2("1", &"ab".repeat(PBKDF2_KEY_BYTES_MIN - 1), "s"), Some(Malformed(Of::Pbkdf2))),
        (pbkdf2("1", &"ab".repeat(PBKDF2_KEY_BYTES_MAX), "s"), None),
        (pbkdf2("1", &"ab".repeat(PBKDF2_KEY_BYTES_MAX + 1), "s"), Some(Malformed(Of::Pbkdf2))),
        (pbkdf2("1", &key, ""), Some(Salt(Of::Pbkdf2, 0))),
        (pbkdf2("1", &key, &salt(FOREIGN_SALT_BYTES_MAX + 1)), Some(Salt(Of::Pbkdf2, 129))),
        (format!("pbkdf2-sha256:1:{key}"), Some(Malformed(Of::Pbkdf2))),
        (format!("pbkdf2-sha224:1:{key}:s"), Some(Unknown)),
        (bcrypt("$2y$04$"), None),
        (bcrypt("$2y$14$"), None),
        (bcrypt("$2y$15$"), Some(Cost(Of::Bcrypt, 15))),
        (bcrypt("$2y$31$"), Some(Cost(Of::Bcrypt, 31))),
        (bcrypt("$2y$99$"), Some(Cost(Of::Bcrypt, 99))),
        (bcrypt("$2y$03$"), Some(Cost(Of::Bcrypt, 3))),
        (bcrypt("$2x$04$"), Some(Malformed(Of::Bcrypt))),
        (bcrypt("$2$04$x"), Some(Malformed(Of::Bcrypt))),
        (bcrypt("$2y$4$$"), Some(Malformed(Of::Bcrypt))),
        (bcrypt("$2y$+4$"), Some(Malformed(Of::Bcrypt))),
        (bcrypt("$2y$04:"), Some(Malformed(Of::Bcrypt))),
        (bcrypt("$2y$04$")[..59].to_owned(), Some(Malformed(Of::Bcrypt))),
        (format!("{}.", bcrypt("$2y$04$")), Some(Malformed(Of::Bcrypt))),
        (bcrypt("$2y$04$").replace("Fi9Z", "Fi+Z"), Some(Malformed(Of::Bcrypt))),
        (bcrypt("$2y$04$").replace("Fi9Z", "Fié"), Some(Malformed(Of::Bcrypt))),
        // The last character of the salt has spare bits.
        (bcrypt("$2y$04$").replace("OSe1", "OSf1"), Some(Malformed(Of::Bcrypt))),
        ("$2y$04$".to_owned(), Some(Malformed(Of::Bcrypt))),
        (phpass('5'), None),
        (phpass('I'), None),
        (phpass('J'), Some(Cost(Of::Phpass, 21))),
        (phpass('4'), Some(Cost(Of::Phpass, 6))),
        (phpass('z'), Some(Cost(Of::Phpass, 63))),
        (phpass('$'), Some(Malformed(Of::Phpass))),
        (phpass('5').replace("saltSALT", "saltSAL"), Some(Malformed(Of::Phpass))),
        (phpass('5').replace("saltSALT", "saltSALé"), Some(Malformed(Of::Phpass))),
        (phpass('5').replace("DeVw0", "DeVw2"), Some(Malformed(Of::Phpass))),
        (format!("{}0", phpass('5')), Some(Malformed(Of::Phpass))),
    ];
    for (text, expected) in cases {
        assert_eq!(ForeignHash::parse(&text).err(), expected, "{text}");
        let is_our_text = ForeignHash::parse(&text).is_ok_and(|hash| hash.to_text() == text);
        assert_eq!(is_our_text, expected.is_none(), "{text}");
    }
    let argon2i = "$argon2i$v=19$m=65536,t=4,p=1$U3pxUWtNcFdWTGU5ZDVoRA$rOP+AhL8wJnHJLISG1TjPDieXNchE0LBnOJdFkO3hlw";
    let other = Some(StoredPasswordError::Argon2id(PasswordHashError::Algorithm));
    assert_eq!(StoredPassword::parse(argon2i).err(), other);
    assert_eq!(StoredPassword::of_joomla(argon2i).err(), other);
}

#[test]
fn what_a_system_cannot_have_kept_is_refused() {
    let sha1 = "abf7aad6438836dbe526aa231abde2d0eef74d42";
    let base64 = "lllwWQ==";
    let sha256 = "xLvLH77JnWW/WdhcjLYu4tuWPw/hBvSD2a+nO9TjmoU=";
    let pbkdf2 = |prf, iterations, key| ForeignHash::of_wso2_pbkdf2(prf, iterations, key, WSO2_SALT).err();
    let secret = |json: &str| ForeignHash::of_wso2_secret(json).err();
    let digest = Some(Malformed(Of::Digest));
    assert_eq!(
        ForeignHash::of_bshaffer("sesame").err(),
        digest,
        "plain text, as in Redis, is for the importer to hash"
    );
    assert_eq!(ForeignHash::of_bshaffer(&sha1[1..]).err(), digest);
    assert_eq!(ForeignHash::of_bshaffer("").err(), digest);
    assert_eq!(ForeignHash::of_dotauth(sha1, "salt").err(), digest);
    assert_eq!(ForeignHash::of_dotauth(&"A".repeat(64), &"s".repeat(129)).err(), Some(Salt(Of::Digest, 129)));
    assert_eq!(ForeignHash::of_wso2("SHA-256", base64, None).err(), digest, "cut off");
    assert_eq!(ForeignHash::of_wso2("SHA-1", sha256, None).err(), digest, "of another function");
    assert_eq!(ForeignHash::of_wso2("SHA-256", &sha256[..43], None).err(), digest, "without its padding");
    assert_eq!(ForeignHash::of_wso2("PLAIN_TEXT", "sesame", None).err(), Some(Function));
    assert_eq!(ForeignHash::of_wso2("PBKDF2", sha256, None).err(), Some(Function));
    assert_eq!(pbkdf2("PBKDF2WithHmacSHA224", 1000, sha256), Some(Function));
    assert_eq!(pbkdf2("PBKDF2WithHmacSHA256", 1000, base64), Some(Malformed(Of::Pbkdf2)));
    assert_eq!(pbkdf2("PBKDF2WithHmacSHA256", 5_000_000, sha256), Some(Cost(Of::Pbkdf2, 5_000_000)));
    let hash = "c4bbcb1fbec99d65bf59d85c8cb62ee2db963f0fe106f483d9afa73bd4e39a8a";
    assert_eq!(secret(&format!(r#"{{"algorithm":"SHA-256","hash":"{hash}"}}"#)), None, "its members in another order");
    assert_eq!(secret(&format!(r#"{{"algorithm":"SHA3-256","hash":"{hash}"}}"#)), Some(Function));
    assert_eq!(secret(&format!(r#"{{"algorithm":"SHA-512","hash":"{hash}"}}"#)), digest);
    assert_eq!(secret(&format!(r#"{{"hash":"{hash}"}}"#)), digest);
    assert_eq!(secret(hash), digest);
    assert_eq!(secret(&" ".repeat(513)), digest);
    for password in ["", "sesame", "md5:", "{SHA256}", "{SHA256}9cc2ae8a1ba7a93da39b46fc1019c481"] {
        assert_eq!(
            StoredPassword::of_joomla(password).err(),
            Some(StoredPasswordError::Foreign(Malformed(Of::Digest)))
        );
    }
    assert_eq!(StoredPassword::of_joomla("$1$salt$hash").err(), Some(StoredPasswordError::Foreign(Unknown)));
}

#[test]
fn neither_debug_nor_an_error_prints_a_hash() {
    let stored = StoredPassword::parse("$P$5saltSALTg6fciLIMYNG5yjWIdDeVw0").unwrap();
    assert_eq!(format!("{stored:?}"), "StoredPassword::Foreign(redacted)");
    let StoredPassword::Foreign(hash) = stored else { panic!("it is phpass") };
    assert_eq!(format!("{hash:?}"), "ForeignHash(redacted)");
    let told: Vec<_> =
        [Unknown, Malformed(Of::Bcrypt), Cost(Of::Bcrypt, 31), Cost(Of::Pbkdf2, 5_000_000), Salt(Of::Digest, 129)]
            .map(|error| error.to_string())
            .into();
    assert!(told[1].starts_with("the bcrypt hash is cut off or malformed; it is `$2y$`"), "{told:#?}");
    assert_eq!(told[2], "the bcrypt hash asks for a cost of 31; 4 to 14 is allowed");
    assert!(told[3].ends_with("1 to 2000000 iterations are allowed, and a key of 16 to 64 bytes"), "{told:#?}");
}
