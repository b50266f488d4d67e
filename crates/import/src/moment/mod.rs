//! Moments as foreign databases write them.

mod expires;
mod wall;
mod zone;

pub(crate) use expires::{access_expiry, refresh_expiry};
pub(crate) use wall::{Wall, WallError};
pub(crate) use zone::LAST;
pub use zone::{UnknownTimeZone, Zones, time_zone};
