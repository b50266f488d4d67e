/// The fewest hexadecimal digits of a secret that is taken for random: 128 bits of them.
const DIGITS_MIN: usize = 32;
/// The fewest digits that differ: fewer do not occur among 32 random ones, in a million years of clients.
const DIFFERENT_DIGITS_MIN: usize = 8;

/// Whether a secret was made by a machine and not chosen by a person, so that a quick hash under a key is enough for it: 32
/// hexadecimal digits or more and nothing else, 8 different ones at least. redCORE's 80 digits are such.
#[must_use]
pub fn is_random(secret: &str) -> bool {
    let mut seen = [false; 16];
    for character in secret.chars() {
        match character.to_digit(16) {
            Some(digit) => seen[digit as usize] = true,
            None => return false,
        }
    }
    secret.len() >= DIGITS_MIN && seen.iter().filter(|seen| **seen).count() >= DIFFERENT_DIGITS_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_machine_makes_is_taken_for_random() {
        for (secret, expected, why) in [
            ("9f86d081884c7d659a2feaa0c55ad015", true, "128 bits"),
            ("9F86D081884C7D659A2FEAA0C55AD015a3bf4f1b2b0b822cd15d6c15b0f00a089f86d081884c7d65", true, "redCORE's 80"),
            ("9f86d081884c7d659a2feaa0c55ad01", false, "31 digits"),
            ("00000000000000000000000000000000", false, "one digit again and again"),
            ("12121212121212121212121212121212", false, "two digits"),
            ("correct horse battery staple, said the monk", false, "words"),
            ("testpass", false, "a word"),
            ("", false, "nothing"),
        ] {
            assert_eq!(is_random(secret), expected, "{why}");
        }
    }
}
