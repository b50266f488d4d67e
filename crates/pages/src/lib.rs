//! What people see: the pages to log in, to consent, to look at an account and to log out, and what is said when
//! something is wrong.
//!
//! Words and values in, HTML out: this crate knows no request, no rule and no other crate of ours. [`Pages`] is made
//! once, from a [`Brand`]; each page has a view model of plain values, and becomes a [`Page`]: the HTML and the
//! content security policy it is sent with, so that neither is sent without the other.
//!
//! The pages need no script, load nothing from elsewhere, and escape every text. The one script is on
//! [`FormPostPage`], admitted by its hash, and that page works without it.

mod account;
mod asset;
mod brand;
mod client;
mod color;
mod consent;
mod error;
mod form_post;
mod frame;
mod log_out;
mod login;
mod logo;
mod moment;
mod page;
mod pages;
mod password;
mod scope_words;
mod web_link;

pub use account::{AccountGrant, AccountNotice, AccountPage};
pub use asset::{ASSET_CONTENT_SECURITY_POLICY, ASSETS_PATH, Asset};
pub use brand::{Accent, Brand};
pub use client::Client;
pub use color::{Color, ColorError};
pub use consent::{AccessEnd, ConsentPage, ConsentScope};
pub use error::ErrorPage;
pub use form_post::FormPostPage;
pub use log_out::LogOutPage;
pub use login::{LoginPage, LoginProblem};
pub use logo::{LOGO_BYTES_MAX, Logo, LogoError};
pub use page::Page;
pub use pages::Pages;
pub use password::PasswordProblem;
pub use scope_words::ScopeWords;
