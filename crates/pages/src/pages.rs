use crate::asset::ASSETS_PATH;
use crate::frame::Frame;
use crate::{Asset, Brand, ScopeWords};

/// Makes every page of one operator.
#[derive(Clone, Debug)]
pub struct Pages {
    pub(crate) frame: Frame,
    pub(crate) scopes: Vec<ScopeWords>,
    assets: Vec<Asset>,
}

impl Pages {
    /// The pages of `brand`, whose paths begin with `base`: the path of the issuer, empty for most.
    #[must_use]
    pub fn new(brand: Brand, base: &str) -> Self {
        let style = Asset::style(&brand);
        let tile = Asset::tile(&brand);
        let logo = brand.logo.as_ref().map(Asset::logo);
        let logo_shows_name = brand.logo.as_ref().is_some_and(|logo| logo.shows_name);

        let path = |asset: &Asset| format!("{base}{ASSETS_PATH}/{}", asset.name);
        let picture = logo.as_ref().unwrap_or(&tile);
        let frame = Frame {
            style: path(&style),
            // A picture with a name in it cannot be read in a browser's tab.
            icon: path(if logo_shows_name { &tile } else { picture }),
            logo: path(picture),
            logo_shows_name,
            brand: brand.name,
            base: base.to_owned(),
        };
        Self { frame, scopes: brand.scopes, assets: [style, tile].into_iter().chain(logo).collect() }
    }

    /// The asset of this name, for `GET` [`ASSETS_PATH`]`/{name}`; `None` if there is none.
    #[must_use]
    pub fn asset(&self, name: &str) -> Option<&Asset> {
        self.assets.iter().find(|asset| asset.name == name)
    }
}
