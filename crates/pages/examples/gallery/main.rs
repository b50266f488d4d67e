//! Writes every page with sample data into a folder, to be looked at: `cargo run -p regrant-pages --example gallery -- FOLDER`.
//!
//! Beside each `NAME.html` is `NAME.csp`, the policy that a server sends it with.

mod samples;

use std::fs;
use std::io;
use std::path::PathBuf;

use regrant_pages::{ASSETS_PATH, Page, Pages};

fn main() -> io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "gallery".to_owned()));
    // Paths that begin with a dot are found beside the page.
    let pages = Pages::new(samples::brand(), ".");
    let assets = folder.join(ASSETS_PATH.trim_start_matches('/'));
    fs::create_dir_all(&assets)?;
    for (name, Page { html, content_security_policy }) in samples::pages(&pages) {
        for asset in linked_assets(&html) {
            let asset = pages.asset(asset).ok_or_else(|| io::Error::other(format!("{name} links a missing asset")))?;
            fs::write(assets.join(&asset.name), &asset.bytes)?;
        }
        fs::write(folder.join(format!("{name}.html")), html)?;
        fs::write(folder.join(format!("{name}.csp")), content_security_policy)?;
    }
    Ok(())
}

/// The names of the assets that `html` loads.
fn linked_assets(html: &str) -> impl Iterator<Item = &str> {
    html.split("/assets/").skip(1).filter_map(|rest| rest.split('"').next())
}
