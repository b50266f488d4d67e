use regrant_crypto::PASSWORD_BYTES_MAX;
use regrant_protocol::{Issuer, Secret};

use super::PasswordProblem;

/// The fewest characters (Unicode code points) that a user may choose as a password (NIST SP 800-63B-3 §5.1.1.2).
pub const NEW_PASSWORD_CHARACTERS_MIN: usize = 8;
/// The fewest characters of a new password that do not follow from the one before, as `b` follows from `a`.
const UNFORESEEN_CHARACTERS_MIN: usize = 4;
/// The fewest different characters of a new password.
const DIFFERENT_CHARACTERS_MIN: usize = 4;
/// The fewest letters of a name by which it says more than chance.
const NAME_CHARACTERS_MIN: usize = 4;

/// The new password of the user `username`, if it may be one. What an attacker tries first is refused: the length apart, nothing
/// is asked of which characters it has (NIST SP 800-63B-3 §5.1.1.2).
pub(super) fn chosen(
    (new, again): (Secret, &Secret),
    current: &Secret,
    username: &str,
    issuer: &Issuer,
) -> Result<Secret, PasswordProblem> {
    let text = new.expose();
    if text.chars().count() < NEW_PASSWORD_CHARACTERS_MIN {
        Err(PasswordProblem::TooShort)
    } else if text.len() > PASSWORD_BYTES_MAX {
        Err(PasswordProblem::TooLong)
    } else if new != *again {
        Err(PasswordProblem::Mismatch)
    } else if new == *current {
        Err(PasswordProblem::Unchanged)
    } else if is_guessable(text, username, issuer) {
        Err(PasswordProblem::Guessable)
    } else {
        Ok(new)
    }
}

/// Whether an attacker tries it first.
pub(crate) fn is_guessable(text: &str, username: &str, issuer: &Issuer) -> bool {
    is_foreseen(text) || is_common(text) || is_name(text, username, issuer)
}

/// Repeated characters, and rows of the alphabet and the keyboard: `aaaaaaaa`, `12341234`, `qwertyui`, and eight spaces.
fn is_foreseen(text: &str) -> bool {
    let characters: Vec<char> = text.to_lowercase().chars().collect();
    let mut different = characters.clone();
    different.sort_unstable();
    different.dedup();
    let unforeseen = 1 + characters.windows(2).filter(|pair| !follows(pair[0], pair[1])).count();
    different.len() < DIFFERENT_CHARACTERS_MIN || unforeseen < UNFORESEEN_CHARACTERS_MIN
}

/// Whether two characters are the same, or neighbours in a row.
fn follows(one: char, next: char) -> bool {
    let place = |row: &str, character| row.chars().position(|other| other == character);
    let are_neighbours = |row: &&str| match (place(row, one), place(row, next)) {
        (Some(one), Some(next)) => one.abs_diff(next) == 1,
        _ => false,
    };
    one == next || ROWS.iter().any(are_neighbours)
}

/// A common password, also with digits and signs around it or in place of letters: `Password2024!`, `p4ssw0rd`.
fn is_common(text: &str) -> bool {
    readings(text).iter().any(|reading| COMMON.split(' ').any(|common| common == reading))
}

/// The name of the user or of this server, also with digits and signs around it.
fn is_name(text: &str, username: &str, issuer: &Issuer) -> bool {
    let username = username.to_lowercase();
    let words = |text: &str| text.split(|c: char| !c.is_alphanumeric()).map(|word| core(word).to_lowercase()).collect();
    let (of_user, of_server): (Vec<String>, Vec<String>) = (words(&username), words(issuer.as_str()));
    let mut names = of_user.into_iter().chain(of_server).filter(|name| name.chars().count() >= NAME_CHARACTERS_MIN);
    let readings = readings(text);
    readings.contains(&username) || names.any(|name| readings.contains(&name))
}

/// The text as somebody may have come to it from a word.
fn readings(text: &str) -> [String; 4] {
    let plain = text.to_lowercase();
    let lettered = with_letters(&plain);
    [core(&plain).to_owned(), with_letters(core(&plain)), core(&lettered).to_owned(), plain]
}

/// The text without what is no letter at its ends.
fn core(text: &str) -> &str {
    text.trim_matches(|character: char| !character.is_alphabetic())
}

/// The text with the letters that digits and signs are commonly written for.
fn with_letters(text: &str) -> String {
    let letter =
        |character| LOOKALIKES.iter().find(|(sign, _)| *sign == character).map_or(character, |(_, letter)| *letter);
    text.chars().map(letter).collect()
}

const ROWS: [&str; 5] = ["abcdefghijklmnopqrstuvwxyz", "0123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm"];

const LOOKALIKES: [(char, char); 8] =
    [('0', 'o'), ('1', 'i'), ('3', 'e'), ('4', 'a'), ('5', 's'), ('7', 't'), ('@', 'a'), ('$', 's')];

/// What leads every published count of leaked passwords, without what the other rules catch. Words shorter than a password
/// stand for themselves with something around them.
const COMMON: &str = "access admin administrator angel apple asdf ashley azerty baseball basketball batman change changeme charlie \
    chocolate computer corvette daniel default demo dragon flower football freedom guest hello hunter iloveyou \
    internet jennifer jordan killer letmein liverpool login loveme lovely master michael michelle monkey mustang \
    naruto ninja pass passphrase password passwort pokemon princess qazwsx qwer qwert qwerty samsung secret service \
    shadow starwars summer sunshine superman test testtest trustno user welcome whatever winter 1q2w3e4r 1q2w3e4r5t \
    1qaz2wsx";

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(new: &str) -> Option<PasswordProblem> {
        let secret = |text: &str| Secret::new(text.to_owned());
        let issuer = Issuer::parse("https://id.northwind.example:8443/t1").unwrap();
        chosen((secret(new), &secret(new)), &secret("the current one"), "Bob.Shaffer7", &issuer).err()
    }

    #[test]
    fn nist_sp_800_63b_section_5_1_1_2_what_is_tried_first_is_refused() {
        for new in [
            // Characters that follow from each other.
            "        ",
            "aaaaaaaa",
            "........",
            "12345678",
            "87654321",
            "1234567890",
            "11223344",
            "12341234",
            "abcdefgh",
            "abcd1234",
            "qwertyui",
            "QWERTYUIOP",
            "asdfghjkl",
            "1212121212",
            "abababab",
            "xyzxyzxyz",
            // Common passwords, and what is made of them.
            "password",
            "PASSWORD",
            "password1",
            "Password2024!",
            "p4ssw0rd",
            "P@$$w0rd",
            "!!letmein!!",
            "iloveyou",
            "sunshine99",
            "1q2w3e4r",
            "1qaz2wsx",
            "welcome123",
            "admin2026",
            "changeme",
            "Passw0rd1",
            // The names of the user and of the server.
            "bob.shaffer7",
            "Bob.Shaffer7",
            "shaffer1999",
            "northwind",
            "Northwind1",
        ] {
            assert_eq!(problem(new), Some(PasswordProblem::Guessable), "{new:?}");
        }
        assert_eq!(problem("the current one"), Some(PasswordProblem::Unchanged));
    }

    #[test]
    fn what_is_hard_to_guess_is_accepted_whatever_it_is_made_of() {
        for new in [
            "looking-glass",
            "correct horse battery",
            "brent456",
            "mYw0rds:few",
            "bobs shed is blue",
            "password of mine own",
            "éèàùçôîâ",
            "73058164",
            "tr0ub4dor&3",
            "         but then something else",
        ] {
            assert_eq!(problem(new), None, "{new:?}");
        }
    }
}
