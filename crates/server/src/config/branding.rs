use std::fmt;
use std::path::{Path, PathBuf};

use regrant_pages::LOGO_BYTES_MAX;

use crate::config::file::{read_bounded, reason};
use crate::config::key::{Form, Key, Kind};
use crate::config::one_line::one_line;
use crate::config::problem::Fault;
use crate::config::section::{Section, Shape};
use crate::config::table_reader::{Reported, TableReader};
use crate::config::value::Preset;

pub(super) const SECTION: Section = Section {
    name: "branding",
    shape: Shape::Table,
    doc: "What the pages look like that people see.",
    keys: &[NAME, LOGO, ACCENT, ACCENT_DARK],
};

const NAME: Key =
    Key::new("name", Kind::Text(Form::Plain), Preset::Text("regrant"), "The name of the service on every page.");

const LOGO: Key = Key::new(
    "logo",
    Kind::Text(Form::Path),
    Preset::Absent,
    "An SVG or PNG file of at most 256 KiB. Without it the pages show the first letter of the name.",
);

const ACCENT: Key = Key::new(
    "accent",
    Kind::Text(Form::Colour),
    Preset::Text("#2455d6"),
    "The colour of buttons and links on a light page.",
)
.also(&["color", "colour", "accent_color"]);

const ACCENT_DARK: Key = Key::new(
    "accent_dark",
    Kind::Text(Form::Colour),
    Preset::Text("#8fb1ff"),
    "The colour of buttons and links on a dark page.",
);

/// The longest name of the service, in characters.
pub const BRAND_NAME_CHARACTERS_MAX: usize = 80;

/// What the pages look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrandingConfig {
    /// The name of the service; never empty.
    pub name: String,
    /// An image file that could be read.
    pub logo: Option<Logo>,
    /// On a light page.
    pub accent: Colour,
    /// On a dark page.
    pub accent_dark: Colour,
}

/// An image file that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    /// Where it is.
    pub path: PathBuf,
    /// What was in it.
    pub picture: regrant_pages::Logo,
}

/// A colour, written `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

impl BrandingConfig {
    pub(super) fn read(table: &mut TableReader<'_>) -> Result<Self, Reported> {
        let name = table.required(&NAME, |text| one_line(text, BRAND_NAME_CHARACTERS_MAX));
        let logo = table.path(&LOGO, picture);
        let accent = table.required(&ACCENT, Colour::parse);
        let accent_dark = table.required(&ACCENT_DARK, Colour::parse);
        let logo = logo?.map(|(path, picture)| Logo { path, picture });
        Ok(Self { name: name?, logo, accent: accent?, accent_dark: accent_dark? })
    }
}

impl Colour {
    fn parse(text: &str) -> Result<Self, Fault> {
        let digits = text
            .strip_prefix('#')
            .filter(|digits| digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let [_, red, green, blue] = number
            .ok_or_else(|| {
                Fault::Value(format!("{text:?} is not a colour of six hexadecimal digits, such as \"#2455d6\""))
            })?
            .to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

fn picture(path: &Path) -> Result<regrant_pages::Logo, Fault> {
    let name = path.display().to_string();
    let unreadable = |error| Fault::Unreadable { path: name.clone(), reason: reason(&error) };
    let bytes = read_bounded(path, LOGO_BYTES_MAX as u64).map_err(unreadable)?;
    regrant_pages::Logo::new(bytes.to_vec()).map_err(|error| Fault::Value(format!("{name:?}: {error}")))
}
