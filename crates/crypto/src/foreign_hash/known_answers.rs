//! What real implementations made of passwords.

use super::{ForeignHash, ForeignHashError};
use crate::{StoredPassword, StoredPasswordError};

const PASSWORD: &str = "correct horse battery staple";
const IN_UTF_8: &str = "pässword ☂";
/// 16 bytes in base64, as WSO2 makes them.
pub(super) const WSO2_SALT: &str = "Vw6P+5bqkq9dsgBtMiZqLw==";

/// Of what a system keeps: how it reads, our text form, and the password.
pub(super) type KnownAnswer = (Result<StoredPassword, StoredPasswordError>, &'static str, &'static str);

pub(super) fn all() -> impl Iterator<Item = KnownAnswer> {
    [of_bshaffer_and_dotauth(), of_wso2(), of_wso2_pbkdf2(), of_joomla()].into_iter().flatten()
}

fn foreign(made: Result<ForeignHash, ForeignHashError>) -> Result<StoredPassword, StoredPasswordError> {
    Ok(StoredPassword::Foreign(made?))
}

fn wso2(name: &str, password: &str) -> Result<StoredPassword, StoredPasswordError> {
    foreign(ForeignHash::of_wso2(name, password, Some(WSO2_SALT)))
}

/// `sha1($password)` and `strtoupper(hash('sha256', $password . $salt))` of PHP 8.2.
fn of_bshaffer_and_dotauth() -> Vec<KnownAnswer> {
    let dotauth = "C5D37E80F8CF0AEA15AFDD5A7B2596954F07D6E4D3E3A36B6C26A557531A79F5";
    vec![
        (
            foreign(ForeignHash::of_bshaffer("abf7aad6438836dbe526aa231abde2d0eef74d42")),
            "sha1:abf7aad6438836dbe526aa231abde2d0eef74d42",
            PASSWORD,
        ),
        (
            foreign(ForeignHash::of_bshaffer("065F2C79EB6DD6A9F21BC1944F5A47D1AC74A441")),
            "sha1:065f2c79eb6dd6a9f21bc1944f5a47d1ac74a441",
            IN_UTF_8,
        ),
        (
            foreign(ForeignHash::of_dotauth(dotauth, "c2FsdA")),
            "sha256:c5d37e80f8cf0aea15afdd5a7b2596954f07d6e4d3e3a36b6c26a557531a79f5:c2FsdA",
            PASSWORD,
        ),
    ]
}

/// Python 3: `base64.b64encode(hashlib.new(name, (password + salt).encode()).digest())`, the salt being `WSO2_SALT` or nothing.
fn of_wso2() -> Vec<KnownAnswer> {
    let sha512 = "gstepH8aYDAsN5MzJ1qUN7Nt59eAo0c9wqRhUrLySvBr4uTxVV/BoCpvl26qAQUMfHQMQWrvQv8NW1c+xnS/Lg==";
    let unsalted = ForeignHash::of_wso2("SHA-256", "xLvLH77JnWW/WdhcjLYu4tuWPw/hBvSD2a+nO9Tjmoo=", None);
    vec![
        (
            wso2("SHA-256", "llFoWePInu2VV4eDYLrBN4IDkyVQNJvRDySwhqgYAbQ="),
            "sha256:96516859e3c89eed9557878360bac1378203932550349bd10f24b086a81801b4:Vw6P+5bqkq9dsgBtMiZqLw==",
            PASSWORD,
        ),
        (
            wso2("sha-256", "j7TfOVMD5ivlfzy7c4b9ofv+x2sWH0E7/X54cqOvJuw="),
            "sha256:8fb4df395303e62be57f3cbb7386fda1fbfec76b161f413bfd7e7872a3af26ec:Vw6P+5bqkq9dsgBtMiZqLw==",
            IN_UTF_8,
        ),
        (foreign(unsalted), "sha256:c4bbcb1fbec99d65bf59d85c8cb62ee2db963f0fe106f483d9afa73bd4e39a8a", PASSWORD),
        (
            wso2("MD5", "ijijYNkuMX6nkhhTQRnv8w=="),
            "md5:8a38a360d92e317ea79218534119eff3:Vw6P+5bqkq9dsgBtMiZqLw==",
            PASSWORD,
        ),
        (
            wso2("SHA", "cbZgI636tJupI3ELsm+TYCvSzrI="),
            "sha1:71b66023adfab49ba923710bb26f93602bd2ceb2:Vw6P+5bqkq9dsgBtMiZqLw==",
            PASSWORD,
        ),
        (
            wso2("SHA-512", sha512),
            "sha512:82cb5ea47f1a60302c379333275a9437b36de7d780a3473dc2a46152b2f24af06be2e4f1555fc1a02a6f976eaa01050c7c740c416aef42ff0d5b573ec674bf2e:Vw6P+5bqkq9dsgBtMiZqLw==",
            PASSWORD,
        ),
    ]
}

/// The first three from the tests of WSO2's own provider of PBKDF2; the others by Python 3:
/// `base64.b64encode(hashlib.pbkdf2_hmac(name, password.encode(), salt.encode(), 1000, 32))`.
fn of_wso2_pbkdf2() -> Vec<KnownAnswer> {
    let pbkdf2 = |prf, iterations, key, salt| foreign(ForeignHash::of_wso2_pbkdf2(prf, iterations, key, salt));
    let john = "+tFsn/xvh3tLLPraNZbc70JZzKpyQMGprGRzG1jAwNWWU8+Y5Zn4QhLqUv3NUH1wY9lgFERZT/gXpd5vkw7jdA==";
    vec![
        (
            pbkdf2("PBKDF2WithHmacSHA256", 20_000, "dos1WOO13Hv01bJ9pLcd7g==", "GzgyTT0M0TSvgMaXZEbD1Q=="),
            "pbkdf2-sha256:20000:768b3558e3b5dc7bf4d5b27da4b71dee:GzgyTT0M0TSvgMaXZEbD1Q==",
            "vijee123",
        ),
        (
            pbkdf2(
                "PBKDF2WithHmacSHA256",
                10_000,
                "KV/l28Zm91sx/xWleyWClooPfcb1PNZ5nA0OOXFiYGE=",
                "GzgyTT0M0TSvgMaXZEbD1Q==",
            ),
            "pbkdf2-sha256:10000:295fe5dbc666f75b31ff15a57b2582968a0f7dc6f53cd6799c0d0e3971626061:GzgyTT0M0TSvgMaXZEbD1Q==",
            "nisho123",
        ),
        (
            pbkdf2("PBKDF2WithHmacSHA1", 25_000, john, "GzgyTT0IOweHJgcXZEbD1Q=="),
            "pbkdf2-sha1:25000:fad16c9ffc6f877b4b2cfada3596dcef4259ccaa7240c1a9ac64731b58c0c0d59653cf98e599f84212ea52fdcd507d7063d9601444594ff817a5de6f930ee374:GzgyTT0IOweHJgcXZEbD1Q==",
            "john123",
        ),
        (
            pbkdf2("PBKDF2WithHmacSHA512", 1000, "BPylqVTGR+NPtYR3xHhlubdTJ5rNb4zoEn4ltAzdkO4=", WSO2_SALT),
            "pbkdf2-sha512:1000:04fca5a954c647e34fb58477c47865b9b753279acd6f8ce8127e25b40cdd90ee:Vw6P+5bqkq9dsgBtMiZqLw==",
            PASSWORD,
        ),
        (
            pbkdf2("pbkdf2withhmacsha256", 1000, "Umj4hyhPoPUgcKbqMEP1aYvrbVIP1FX/fxq0ufrEp3E=", WSO2_SALT),
            "pbkdf2-sha256:1000:5268f887284fa0f52070a6ea3043f5698beb6d520fd455ff7f1ab4b9fac4a771:Vw6P+5bqkq9dsgBtMiZqLw==",
            IN_UTF_8,
        ),
    ]
}

/// PHP 8.2: `password_hash($password, PASSWORD_BCRYPT, ['cost' => 4])`, `crypt($password, '$2a$05$…')`, `md5($password . $salt)`,
/// `hash('sha256', $password . $salt)`, `password_hash($password, PASSWORD_ARGON2ID)`; and Python 3 with passlib 1.7:
/// `phpass.using(rounds=7, salt="saltSALT").hash(password)`. The phpass hash of `hashcat` is the example of that program.
fn of_joomla() -> Vec<KnownAnswer> {
    let same = |text: &'static str, password| (StoredPassword::of_joomla(text), text, password);
    let md5_salted = "c3a53bc4386523aa27cd585218aa993c:8lQ2cZ0JkEwT4rYxVbNhUgGpLsMdFoIa";
    let sha256 =
        "{SHA256}8afdc04a43b1f4ef7aaba4fc48768fea879488961c588a1714eb11acb3db4c5b:8lQ2cZ0JkEwT4rYxVbNhUgGpLsMdFoIa";
    vec![
        same("$2y$04$Fi9ZaWtCdXZ00PwKrxTOSe1pMhNc1zVEWsqSW/Tt75HUxWIabNn.G", PASSWORD),
        same("$2y$04$vZNlCGy81LcuB.q2NGHVO.FFtOeW3oWMxpDSjcMG4OJJSSZf9x.OW", IN_UTF_8),
        same("$2a$05$13ZC7rUuzcC7xK7P.WdghO4Z4BM/m287.cBt/yer4nU8daz/33/Y6", PASSWORD),
        same("$2b$05$GrsW8e1f1ULmpO2bevSI8ecwoFWKp5vGC03WVnu3dX4q7XXPtWbjW", PASSWORD),
        same("$2a$04$......................w74bL5gU7LSJClZClCa.Pkz14aTv/XO", ""),
        same("$P$5saltSALTg6fciLIMYNG5yjWIdDeVw0", PASSWORD),
        same("$P$9saltSALTKuDWQ8lL.9y6Yi1n.8aY50", IN_UTF_8),
        same("$H$6IQRaTwmfMsdTT361NyXcMLm7703600", PASSWORD),
        same("$P$984478476IagS59wHZvyQMArzfx58u.", "hashcat"),
        same(
            "$argon2id$v=19$m=65536,t=4,p=1$U3pxUWtNcFdWTGU5ZDVoRA$rOP+AhL8wJnHJLISG1TjPDieXNchE0LBnOJdFkO3hlw",
            PASSWORD,
        ),
        (
            StoredPassword::of_joomla(md5_salted),
            "md5:c3a53bc4386523aa27cd585218aa993c:8lQ2cZ0JkEwT4rYxVbNhUgGpLsMdFoIa",
            PASSWORD,
        ),
        (
            StoredPassword::of_joomla("9cc2ae8a1ba7a93da39b46fc1019c481"),
            "md5:9cc2ae8a1ba7a93da39b46fc1019c481",
            PASSWORD,
        ),
        (
            StoredPassword::of_joomla("3834ba42635a26031f24c99c070a82c6:"),
            "md5:3834ba42635a26031f24c99c070a82c6",
            IN_UTF_8,
        ),
        (
            StoredPassword::of_joomla(sha256),
            "sha256:8afdc04a43b1f4ef7aaba4fc48768fea879488961c588a1714eb11acb3db4c5b:8lQ2cZ0JkEwT4rYxVbNhUgGpLsMdFoIa",
            PASSWORD,
        ),
    ]
}
