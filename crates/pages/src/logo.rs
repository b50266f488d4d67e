/// The most bytes that a logo may have.
pub const LOGO_BYTES_MAX: usize = 256 * 1024;

/// The operator's picture: PNG or SVG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    pub(crate) content_type: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) shows_name: bool,
}

/// Why bytes are not a logo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogoError {
    /// More than [`LOGO_BYTES_MAX`].
    #[error("the logo has {0} bytes; the most is {LOGO_BYTES_MAX}")]
    TooLarge(usize),
    /// Neither PNG nor SVG.
    #[error("the logo is neither a PNG nor an SVG picture")]
    Unknown,
}

impl Logo {
    /// A picture that stands beside the operator's name.
    ///
    /// # Errors
    ///
    /// [`LogoError`]: too many bytes, or neither PNG nor SVG, which is told from the bytes.
    pub fn new(bytes: Vec<u8>) -> Result<Self, LogoError> {
        if bytes.len() > LOGO_BYTES_MAX {
            return Err(LogoError::TooLarge(bytes.len()));
        }
        Ok(Self { content_type: content_type(&bytes).ok_or(LogoError::Unknown)?, bytes, shows_name: false })
    }

    /// A picture that shows the operator's name itself, which is then not written beside it.
    ///
    /// # Errors
    ///
    /// As for [`Logo::new`].
    pub fn with_name_in_it(bytes: Vec<u8>) -> Result<Self, LogoError> {
        Ok(Self { shows_name: true, ..Self::new(bytes)? })
    }
}

fn content_type(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some("image/png");
    }
    let text = std::str::from_utf8(bytes).ok()?.trim_start_matches('\u{feff}').trim_start();
    let is_svg =
        text.starts_with("<svg") || (text.starts_with('<') && !text.starts_with("<html") && text.contains("<svg"));
    is_svg.then_some("image/svg+xml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_a_logo_is_told_from_its_bytes() {
        let cases: [(&[u8], Result<&str, LogoError>); 6] = [
            (b"\x89PNG\r\n\x1a\n\0\0", Ok("image/png")),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Ok("image/svg+xml")),
            (b"\xef\xbb\xbf\n<?xml version='1.0'?>\n<svg/>", Ok("image/svg+xml")),
            (b"GIF89a", Err(LogoError::Unknown)),
            (b"<html><svg/></html>", Err(LogoError::Unknown)),
            (b"", Err(LogoError::Unknown)),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Logo::new(bytes.to_vec()).map(|logo| logo.content_type), expected, "{bytes:?}");
        }
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        png.resize(LOGO_BYTES_MAX, 0);
        assert!(Logo::new(png.clone()).is_ok());
        png.push(0);
        assert_eq!(Logo::new(png), Err(LogoError::TooLarge(LOGO_BYTES_MAX + 1)));
    }
}
