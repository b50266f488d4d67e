use regrant_crypto::{
    ARGON2_ITERATIONS_MAX, ARGON2_LANES_MAX, ARGON2_MEMORY_KIB_MAX, ClientSecret, FOREIGN_HASH_BYTES_MAX,
    PHC_BYTES_MAX, PasswordHash, Pepper, StoredPassword, StoredSecret,
};

/// The most memory that a hash may ask for to be tried here, in KiB.
const TRIED_MEMORY_KIB_MAX: u32 = 64;

/// The forms of other systems that are one call of a digest, so that each can be tried here.
const QUICK_FORMS: [&str; 4] = ["md5:", "sha1:", "sha256:", "sha512:"];

/// What is kept of a secret is written as it was read, costs no more than we allow, and matches no secret by accident.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(hash) = PasswordHash::parse(text) {
        assert_eq!(hash.expose(), text);
    }
    let Ok(stored) = StoredSecret::parse(text) else { return };
    assert_eq!(stored.to_text(), text, "it is written as it was read");
    let pepper = Pepper::from_bytes([5; 32]);
    let secret = ClientSecret::new("not the secret").expect("a secret within its bounds");
    match &stored {
        StoredSecret::Keyed(_) => assert!(!stored.matches(&pepper, &secret)),
        StoredSecret::Chosen(StoredPassword::Argon2id(_)) => {
            assert!(text.len() <= PHC_BYTES_MAX && text.starts_with("$argon2id$v=19$"));
            let [memory, iterations, lanes] = costs(text);
            assert!(
                memory <= ARGON2_MEMORY_KIB_MAX && iterations <= ARGON2_ITERATIONS_MAX && lanes <= ARGON2_LANES_MAX
            );
            assert!(!stored.matches_keyed(&pepper, &secret));
            if memory <= TRIED_MEMORY_KIB_MAX {
                // A short hash is met by chance; that it can be compared at all is what is asked.
                let _ = stored.matches(&pepper, &secret);
            }
        }
        StoredSecret::Chosen(StoredPassword::Foreign(_)) => {
            assert!(text.len() <= FOREIGN_HASH_BYTES_MAX);
            assert!(!stored.matches_keyed(&pepper, &secret));
            if QUICK_FORMS.iter().any(|form| text.starts_with(form)) {
                assert!(!stored.matches(&pepper, &secret));
            }
        }
    }
}

/// The parameters `m`, `t` and `p` of a PHC string, as Argon2 reads them: the last one counts, and what is not written has
/// a default.
fn costs(phc: &str) -> [u32; 3] {
    let parameters = phc.split('$').nth(3).expect("a PHC string of Argon2id has parameters");
    [("m=", 19_456), ("t=", 2), ("p=", 1)].map(|(name, default)| {
        let written = parameters.rsplit(',').find_map(|parameter| parameter.strip_prefix(name));
        written.map_or(default, |number| number.parse().expect("a cost that was accepted is a number"))
    })
}
