//! Several authorization servers on one PostgreSQL, which the tests start themselves: what one changes counts at the others.

mod at_once;
mod cluster;
mod fail_over;
mod following;
mod lost_updates;
mod master_keys;
mod signing_keys;
