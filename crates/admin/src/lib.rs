//! What operators ask and are answered: the admin API as an axum router, its words as types, and its OpenAPI description.
