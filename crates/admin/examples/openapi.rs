//! Prints the OpenAPI document of the admin API, for `docs/reference/admin.openapi.json`.

fn main() {
    println!("{:#}", regrant_admin::openapi());
}
