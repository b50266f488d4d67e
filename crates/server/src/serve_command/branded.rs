use std::sync::Arc;

use axum::Router;
use regrant_engine::AuthorizationServer;
use regrant_pages::{Accent, Brand, Color, ScopeWords};

use crate::config::{Colour, Config};
use crate::metrics::{Metrics, measure_requests};
use crate::site::site;

/// Everything that is answered, with the branding, the words and the dialects of `config`, and measured.
pub(super) fn routes(server: &Arc<AuthorizationServer>, metrics: &Arc<Metrics>, config: &Config) -> Router {
    measure_requests(site(Arc::clone(server), brand(config), config.dialects.clone()), metrics)
}

fn brand(config: &Config) -> Brand {
    let branding = &config.branding;
    let color = |Colour([red, green, blue]): Colour| Color::rgb(red, green, blue);
    let words = |(name, title): (&String, &String)| ScopeWords {
        name: name.clone(),
        title: title.clone(),
        detail: String::new(),
    };
    Brand {
        name: branding.name.clone(),
        logo: branding.logo.as_ref().map(|logo| logo.picture.clone()),
        accent: Accent { light: color(branding.accent), dark: color(branding.accent_dark) },
        scopes: config.scopes.iter().map(words).collect(),
    }
}
