use std::fmt::Write;

use crate::config::Config;
use crate::config::toml_text::key;
use crate::config::value::{Setting, Value};

/// The configuration that is in force, as a file that means the same: every key that has a value, and behind it where it comes
/// from if `with_origin`. A secret that is not in a file of its own is left out, and a comment says so.
#[must_use]
pub fn print(config: &Config, with_origin: bool) -> String {
    let mut text = String::new();
    for table in config.tables().iter().filter(|table| !table.settings.is_empty()) {
        if !text.is_empty() {
            text.push('\n');
        }
        writeln!(text, "{}", table.section.header()).expect(WRITES);
        for setting in &table.settings {
            let origin = if with_origin { format!("  # {}", setting.origin) } else { String::new() };
            writeln!(text, "{}{origin}", line(setting)).expect(WRITES);
        }
    }
    text
}

fn line(setting: &Setting) -> String {
    let name = key(&setting.name);
    if setting.value == Value::Hidden {
        format!("# {name} is not shown")
    } else {
        format!("{name} = {}", setting.value)
    }
}

const WRITES: &str = "writing to a String cannot fail";
