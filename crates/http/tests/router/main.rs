//! What the router promises whatever the engine decides (headers, methods, origins, cookies), and the way of one login
//! through all of it.

mod cookies;
mod cors;
mod cross_site;
mod dialect;
mod dialect_bshaffer;
mod dialect_dotauth;
mod dialect_hostile;
mod dialect_jiko;
mod dialect_paths;
mod dialect_redcore;
mod dialect_wso2;
mod flow;
mod headers;
mod own_login_page;
mod server;
mod userinfo;

/// The header of a form.
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
