use std::fmt;

/// An opaque colour. It is written as `#rrggbb` and nothing else, so that no stylesheet can be injected through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color([u8; 3]);

/// Why a text is not a colour.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("colour {0:?} is not a number sign and six hexadecimal digits, such as #0f6b5c")]
pub struct ColorError(String);

impl Color {
    pub(crate) const WHITE: Self = Self::rgb(255, 255, 255);
    pub(crate) const BLACK: Self = Self::rgb(0, 0, 0);

    /// The colour of three parts of 0 to 255.
    #[must_use]
    pub const fn rgb(red: u8, green: u8, blue: u8) -> Self {
        Self([red, green, blue])
    }

    /// Reads `#rrggbb`.
    ///
    /// # Errors
    ///
    /// Anything else: names, functions, three digits and transparency too.
    pub fn parse(text: &str) -> Result<Self, ColorError> {
        let refused = || ColorError(text.to_owned());
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or_else(refused)?;
        let mut parts = [0; 3];
        for (part, pair) in parts.iter_mut().zip(digits.as_bytes().chunks(2)) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            *part = digit(0).zip(digit(1)).map(|(high, low)| high << 4 | low).ok_or_else(refused)?;
        }
        Ok(Self(parts))
    }

    /// Black or white, whichever is read better on this colour: always with a contrast of at least 4.5 to 1.
    pub(crate) fn label(self) -> Self {
        if self.contrast(Self::WHITE) >= self.contrast(Self::BLACK) { Self::WHITE } else { Self::BLACK }
    }

    /// The contrast ratio of WCAG 2.2, from 1 to 21.
    pub(crate) fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// The relative luminance of WCAG 2.2, from 0 to 1.
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_a_number_sign_and_six_digits() {
        assert_eq!(Color::parse("#0f6B5c"), Ok(Color::rgb(0x0f, 0x6b, 0x5c)));
        assert_eq!(Color::rgb(0x0f, 0x6b, 0x5c).to_string(), "#0f6b5c");
        for text in [
            "",
            "#",
            "0f6b5c",
            "#0f6b5",
            "#0f6b5c0",
            "#fff",
            "red",
            "#0f6b5g",
            "#+f6b5c",
            "#0f6b5c;}",
            "#é6b5c",
            "#éée",
            "url(x)",
        ] {
            assert_eq!(Color::parse(text), Err(ColorError(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        let cases = [("#ffffff", 21.0), ("#000000", 1.0), ("#767676", 4.62), ("#0000ff", 2.44)];
        for (text, expected) in cases {
            let contrast = Color::parse(text).unwrap().contrast(Color::BLACK);
            assert!((contrast - expected).abs() < 0.01, "{text}: {contrast}");
        }
    }

    #[test]
    fn the_label_is_readable_on_every_colour() {
        let steps = || (0..=255u8).step_by(5);
        for (red, green, blue) in steps().flat_map(|r| steps().flat_map(move |g| steps().map(move |b| (r, g, b)))) {
            let color = Color::rgb(red, green, blue);
            assert!(color.contrast(color.label()) >= 4.5, "{color}");
        }
    }
}
