use crate::{Brand, Logo};

/// Where assets are, below the issuer: `GET /assets/{name}`, see [`crate::Pages::asset`].
pub const ASSETS_PATH: &str = "/assets";

/// The content security policy that assets are sent with: a logo that is opened by itself runs no script.
pub const ASSET_CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// What a page loads. Its name is made from its content, so that it may be cached for ever
/// (`Cache-Control: public, max-age=31536000, immutable`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// The last part of its path.
    pub name: String,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub bytes: Vec<u8>,
}

impl Asset {
    /// The stylesheet, in the colours of `brand`.
    pub(crate) fn style(brand: &Brand) -> Self {
        let accent = |color: crate::Color| format!("--accent:{color};--on-accent:{}", color.label());
        let colors = format!(
            ":root{{{}}}\n@media (prefers-color-scheme:dark){{:root{{{}}}}}\n",
            accent(brand.accent.light),
            accent(brand.accent.dark)
        );
        Self::new("style", "css", "text/css; charset=utf-8", (colors + include_str!("style.css")).into_bytes())
    }

    /// The picture that stands for the operator.
    pub(crate) fn logo(logo: &Logo) -> Self {
        let extension = if logo.content_type == "image/png" { "png" } else { "svg" };
        Self::new("logo", extension, logo.content_type, logo.bytes.clone())
    }

    /// A tile with the first letter of the operator's name.
    pub(crate) fn tile(brand: &Brand) -> Self {
        let (light, dark) = (brand.accent.light, brand.accent.dark);
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 32 32\"><style>\
             rect{{fill:{light}}}text{{fill:{};font:700 18px system-ui,sans-serif}}\
             @media (prefers-color-scheme:dark){{rect{{fill:{dark}}}text{{fill:{}}}}}</style>\
             <rect width=\"32\" height=\"32\" rx=\"8\"/>\
             <text x=\"16\" y=\"22.5\" text-anchor=\"middle\">{}</text></svg>",
            light.label(),
            dark.label(),
            Brand::initial(&brand.name)
        );
        Self::new("tile", "svg", "image/svg+xml", svg.into_bytes())
    }

    fn new(stem: &str, extension: &str, content_type: &'static str, bytes: Vec<u8>) -> Self {
        Self { name: format!("{stem}-{:016x}.{extension}", fnv1a(&bytes)), content_type, bytes }
    }
}

/// The FNV-1a hash: only to tell one content from the next, not to resist anybody.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Accent, Color};

    #[test]
    fn another_content_has_another_name() {
        let brand = Brand::default();
        let blue = Brand { accent: Accent { light: Color::rgb(0, 0, 255), ..Accent::default() }, ..Brand::default() };
        assert_eq!(Asset::style(&brand), Asset::style(&brand));
        assert_ne!(Asset::style(&brand).name, Asset::style(&blue).name);
        assert_ne!(Asset::tile(&brand).name, Asset::tile(&blue).name);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn the_stylesheet_has_the_brands_colours_and_loads_nothing() {
        let brand = Brand {
            accent: Accent { light: Color::rgb(255, 255, 0), dark: Color::rgb(0, 0, 128) },
            ..Brand::default()
        };
        let style = String::from_utf8(Asset::style(&brand).bytes).unwrap();
        assert!(style.contains(":root{--accent:#ffff00;--on-accent:#000000}"));
        assert!(style.contains(":root{--accent:#000080;--on-accent:#ffffff}"));
        for loading in ["url(", "@import", "http"] {
            assert!(!style.contains(loading), "{loading}");
        }
    }

    #[test]
    fn text_is_readable_in_light_and_in_dark() {
        let style = include_str!("style.css");
        let dark = style.find("prefers-color-scheme: dark").unwrap();
        for (scheme, colors) in [("light", &style[..dark]), ("dark", &style[dark..])] {
            let color = |name: &str| {
                let value = colors.split(&format!("--{name}: ")).nth(1).unwrap().split(';').next().unwrap();
                Color::parse(value).unwrap()
            };
            // WCAG 2.2, 1.4.3 for text and 1.4.11 for the edges of fields.
            for (front, back, least) in [
                ("ink", "paper", 4.5),
                ("ink", "card", 4.5),
                ("faint", "paper", 4.5),
                ("faint", "card", 4.5),
                ("bad", "bad-paper", 4.5),
                ("bad", "card", 4.5),
                ("good", "good-paper", 4.5),
                ("edge", "card", 3.0),
                ("edge", "paper", 3.0),
            ] {
                let contrast = color(front).contrast(color(back));
                assert!(contrast >= least, "{scheme}: {front} on {back} has {contrast:.2}");
            }
        }
    }
}
