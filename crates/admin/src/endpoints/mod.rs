//! What operators ask, one file for each thing that they ask about: its operations and what does them.

mod clients;
mod explain;
mod grants;
mod keys;
mod program;
mod users;

use crate::api::Api;

/// Every operation there is.
pub(crate) fn all(api: Api) -> Api {
    let api = clients::serve(api);
    let api = users::serve(api);
    let api = grants::serve(api);
    let api = keys::serve(api);
    let api = explain::serve(api);
    program::serve(api)
}
