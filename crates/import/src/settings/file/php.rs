use crate::settings::file::{OptionFile, OptionFileError, line_at};
use crate::settings::{OptionValue, System};

/// Reads an array of PHP as it is written: names, and texts, whole numbers, `true`, `false` and `null`. Nothing is run.
pub(super) fn read(text: &str) -> Result<OptionFile, OptionFileError> {
    let mut reader = Reader { text, at: 0 };
    let end = reader.open()?;
    let mut file = OptionFile::default();
    loop {
        reader.pass_over_blanks()?;
        if reader.takes(end) {
            break;
        }
        let line = reader.line();
        let name = reader.name()?;
        reader.pass_over_blanks()?;
        reader.expect("=>", &format!("=> behind '{name}'"))?;
        reader.pass_over_blanks()?;
        let value = reader.value(&name)?;
        if let Some(value) = value {
            file.add(System::Bshaffer.option(&name), &name, value, line)?;
        }
        reader.pass_over_blanks()?;
        if !reader.takes(",") && !reader.rest().starts_with(end) {
            return Err(reader.wrong(format!(
                "the value of '{name}' goes on; write one text, whole number, true or false, without a calculation"
            )));
        }
    }
    reader.close()?;
    Ok(file)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// `<?php`, `return` or `$name =`, and the beginning of the array; and what will end it.
    fn open(&mut self) -> Result<&'static str, OptionFileError> {
        self.pass_over_blanks()?;
        self.takes("<?php");
        self.pass_over_blanks()?;
        if self.takes("$") {
            self.word();
            self.pass_over_blanks()?;
            self.expect("=", "= behind the name of the variable")?;
        } else {
            self.takes_word("return");
        }
        self.pass_over_blanks()?;
        if self.takes("[") {
            return Ok("]");
        }
        let before = self.at;
        if self.takes_word("array") {
            self.pass_over_blanks()?;
            if self.takes("(") {
                return Ok(")");
            }
        }
        self.at = before;
        Err(self.wrong("this is not an array; give the options alone: array('access_lifetime' => 3600, …)".to_owned()))
    }

    fn name(&mut self) -> Result<String, OptionFileError> {
        match self.rest().chars().next() {
            Some('\'' | '"') => self.quoted(),
            _ => Err(self
                .wrong("here should be the name of an option in quotes, as in 'access_lifetime' => 3600".to_owned())),
        }
    }

    fn value(&mut self, name: &str) -> Result<Option<OptionValue>, OptionFileError> {
        if let Some('\'' | '"') = self.rest().chars().next() {
            return self.quoted().map(|text| Some(OptionValue::Text(text)));
        }
        let before = self.at;
        let sign = if self.takes("-") { "-" } else { "" };
        let word = self.word();
        let value = match word.to_ascii_lowercase().as_str() {
            "true" if sign.is_empty() => Some(Some(OptionValue::Switch(true))),
            "false" if sign.is_empty() => Some(Some(OptionValue::Switch(false))),
            "null" if sign.is_empty() => Some(None),
            digits if is_decimal(digits) => {
                format!("{sign}{digits}").parse().ok().map(|n| Some(OptionValue::Number(n)))
            }
            _ => None,
        };
        value.ok_or_else(|| {
            self.at = before;
            self.wrong(format!(
                "the value of '{name}' is not a text, a whole number, true, false or null, and nothing is run to find it out; write it as \
                 one of these"
            ))
        })
    }

    /// A text in single quotes, or one in double quotes without variables.
    fn quoted(&mut self) -> Result<String, OptionFileError> {
        let begins = self.at;
        let mut characters = self.rest().char_indices();
        let quote = characters.next().map_or('\'', |(_, quote)| quote);
        let mut text = String::new();
        while let Some((at, character)) = characters.next() {
            match character {
                _ if character == quote => {
                    self.at = begins + at + 1;
                    return Ok(text);
                }
                '\\' => match (quote, characters.next().map(|(_, escaped)| escaped)) {
                    (_, Some(escaped)) if escaped == quote || escaped == '\\' => text.push(escaped),
                    ('\'', Some(other)) => text.extend(['\\', other]),
                    ('"', Some('$')) => text.push('$'),
                    (_, _) => {
                        return Err(self
                            .wrong("this text has an escape that is not read; write it in single quotes".to_owned()));
                    }
                },
                '$' if quote == '"' => {
                    return Err(
                        self.wrong("this text holds a variable, and nothing is run; write what it is".to_owned())
                    );
                }
                other => text.push(other),
            }
        }
        Err(self.wrong(format!("the text that begins here is not closed; end it with {quote}")))
    }

    /// What may follow the array: a semicolon and `?>`.
    fn close(&mut self) -> Result<(), OptionFileError> {
        self.pass_over_blanks()?;
        self.takes(";");
        self.pass_over_blanks()?;
        self.takes("?>");
        self.pass_over_blanks()?;
        if self.rest().is_empty() {
            return Ok(());
        }
        Err(self.wrong("something follows the array; give the options alone".to_owned()))
    }

    /// Blanks and comments.
    fn pass_over_blanks(&mut self) -> Result<(), OptionFileError> {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start().len();
            self.at += blank;
            let rest = self.rest();
            if rest.starts_with("//") || rest.starts_with('#') {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                let Some(end) = rest.find("*/") else {
                    return Err(self.wrong("the comment that begins here is not closed; end it with */".to_owned()));
                };
                self.at += end + 2;
            } else {
                return Ok(());
            }
        }
    }

    fn expect(&mut self, sign: &str, named: &str) -> Result<(), OptionFileError> {
        if self.takes(sign) { Ok(()) } else { Err(self.wrong(format!("here should be {named}"))) }
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is_there = self.rest().starts_with(sign);
        if is_there {
            self.at += sign.len();
        }
        is_there
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let before = self.at;
        let is_there = self.word().eq_ignore_ascii_case(word);
        if !is_there {
            self.at = before;
        }
        is_there
    }

    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let length = rest.bytes().take_while(|byte| is_part(byte)).count();
        self.at += length;
        &rest[..length]
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn line(&self) -> usize {
        line_at(self.text, self.at)
    }

    fn wrong(&self, told: String) -> OptionFileError {
        OptionFileError { line: self.line(), told }
    }
}

/// A number of PHP that is not octal.
fn is_decimal(digits: &str) -> bool {
    !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_php_writes_them() {
        for (written, text) in [
            (r"'plain'", Some("plain")),
            (r"'it\'s \\ \n $x'", Some(r"it's \ \n $x")),
            (r#""double \"quoted\" \$x \\""#, Some(r#"double "quoted" $x \"#)),
            (r#""a line\n""#, None),
            (r#""$x""#, None),
            ("'open", None),
            (r"'open\", None),
            ("'ü'", Some("ü")),
        ] {
            let file = read(&format!("['issuer' => {written}]"));
            let found = file.ok().map(|file| file.options[0].value.clone());
            assert_eq!(found, text.map(OptionValue::from), "{written}");
        }
    }

    #[test]
    fn an_array_may_be_opened_in_each_way_of_php_and_closed_in_the_same() {
        for (text, is_good) in [
            ("array()", true),
            ("[]", true),
            ("<?php\n// options\nreturn ARRAY ( 'id_lifetime' => 3600 , ) ;\n?>\n", true),
            ("$options = ['id_lifetime' => -1];", true),
            ("# a\n/* b */ ['id_lifetime' => NULL]", true),
            ("array('id_lifetime' => 3600]", false),
            ("['id_lifetime' => 3600)", false),
            ("['id_lifetime' => 3600", false),
            ("['id_lifetime' => [3600]]", false),
            ("['id_lifetime' => 3600.5]", false),
            ("['id_lifetime' => -true]", false),
            ("['id_lifetime' => 99999999999999999999]", false),
            ("", false),
            ("return", false),
            ("arrays()", false),
        ] {
            assert_eq!(read(text).is_ok(), is_good, "{text:?}: {:?}", read(text));
        }
    }
}
