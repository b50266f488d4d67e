use crate::settings::file::{OptionFault, OptionFile, line_at};
use crate::settings::{OptionValue, System};

/// Reads an array of PHP as it is written: names, and texts, whole numbers, `true`, `false` and `null`. Nothing is run.
pub(super) fn read(text: &str, file: &mut OptionFile) -> Result<(), OptionFault> {
    let mut reader = Reader { text, at: 0 };
    let end = reader.open()?;
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
        let begins = reader.at;
        match reader.whole_value(&name, end) {
            Ok(Some(value)) => file.add(System::Bshaffer.option(&name), &name, value, line),
            Ok(None) => {}
            Err(fault) => {
                reader.at = begins;
                reader.pass_over_value().map_err(|()| fault.clone())?;
                file.faults.push(fault);
            }
        }
        reader.takes(",");
    }
    reader.close()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// `<?php`, `return` or `$name =`, and the beginning of the array; and what will end it.
    fn open(&mut self) -> Result<&'static str, OptionFault> {
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

    fn name(&mut self) -> Result<String, OptionFault> {
        match self.rest().chars().next() {
            Some('\'' | '"') => self.quoted(),
            _ => Err(self
                .wrong("here should be the name of an option in quotes, as in 'access_lifetime' => 3600".to_owned())),
        }
    }

    /// A value, and nothing behind it.
    fn whole_value(&mut self, name: &str, end: &str) -> Result<Option<OptionValue>, OptionFault> {
        let value = self.value(name)?;
        self.pass_over_blanks()?;
        if !self.rest().starts_with(",") && !self.rest().starts_with(end) {
            return Err(self.wrong(format!(
                "the value of '{name}' goes on; write one text, whole number, true or false, without a calculation"
            )));
        }
        Ok(value)
    }

    /// Goes to the comma or bracket that ends a value, whatever it is; fails where it has no end that can be trusted.
    fn pass_over_value(&mut self) -> Result<(), ()> {
        let mut depth = 0_u32;
        loop {
            self.pass_over_blanks().map_err(drop)?;
            match self.rest().chars().next().ok_or(())? {
                ',' | ')' | ']' | '}' if depth == 0 => return Ok(()),
                '\'' | '"' => drop(self.quoted().map_err(drop)?),
                '=' if depth == 0 && self.rest().starts_with("=>") => return Err(()),
                sign => {
                    depth = match sign {
                        '(' | '[' | '{' => depth + 1,
                        ')' | ']' | '}' => depth - 1,
                        _ => depth,
                    };
                    self.at += sign.len_utf8();
                }
            }
        }
    }

    fn value(&mut self, name: &str) -> Result<Option<OptionValue>, OptionFault> {
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
                let digits = digits.replace('_', "");
                format!("{sign}{digits}").parse().ok().map(|n| Some(OptionValue::Number(n)))
            }
            _ => None,
        };
        value.ok_or_else(|| {
            self.at = before;
            if ["function", "fn", "static"].contains(&word) {
                return self.wrong(format!("'{name}' is a function, and no PHP runs here; delete it from the array"));
            }
            self.wrong(format!(
                "the value of '{name}' is not a text, a whole number, true, false or null, and nothing is run to find it out; write it as \
                 one of these"
            ))
        })
    }

    /// A text in single quotes, or one in double quotes without variables.
    fn quoted(&mut self) -> Result<String, OptionFault> {
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
    fn close(&mut self) -> Result<(), OptionFault> {
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
    fn pass_over_blanks(&mut self) -> Result<(), OptionFault> {
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

    fn expect(&mut self, sign: &str, named: &str) -> Result<(), OptionFault> {
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

    fn wrong(&self, told: String) -> OptionFault {
        OptionFault { line: self.line(), told }
    }
}

/// A number of PHP that is not octal, with `_` between digits or without (PHP 7.4).
fn is_decimal(digits: &str) -> bool {
    let is_group = |group: &str| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit());
    digits.split('_').all(is_group) && (digits == "0" || !digits.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> OptionFile {
        OptionFile::read(System::Bshaffer, text).unwrap()
    }

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
            let found = file.options.first().filter(|_| file.faults.is_empty()).map(|option| option.value.clone());
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
            ("['id_lifetime' => 1_209_600]", true),
            ("['id_lifetime' => 1_]", false),
            ("['id_lifetime' => 1__0]", false),
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
            assert_eq!(read(text).faults.is_empty(), is_good, "{text:?}: {:?}", read(text));
        }
    }

    #[test]
    fn what_cannot_be_read_is_passed_over_and_all_of_it_told() {
        let file = read(
            "[\n'access_lifetime' => 60 * 60,\n'jwt_extra_payload_callable' => function ($a, $b) {\nreturn ['x' => ')'];\n},\n\
             'refresh_token_lifetime' => 1_209_600,\n'id_lifetime' => max(1, 2),\n'issuer' => \"https://id.example\"]",
        );
        let told: Vec<_> = file.faults.iter().map(|fault| (fault.line, fault.told.as_str())).collect();
        let [(2, goes_on), (3, function), (7, runs)] = told[..] else { panic!("{told:?}") };
        assert!(goes_on.contains("goes on") && runs.contains("nothing is run"), "{told:?}");
        assert!(function.ends_with("delete it from the array"), "{function}");
        let taken: Vec<_> = file.options.iter().map(|option| option.name).collect();
        assert_eq!(taken, ["refresh_token_lifetime", "issuer"]);
        assert_eq!(file.options[0].value, OptionValue::Number(1_209_600));
    }
}
