use std::path::Path;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use regrant_engine::{Act, Door};

use crate::api::Api;
use crate::desk::{Desk, Operator};
use crate::error::AdminError;
use crate::json::Json;
use crate::operation::Operation;
use crate::{BackupTarget, BackupView, ErrorCode, StatusView};

/// What a copy of the database is worth nothing without.
const BACKUP_NOTE: &str =
    "Without the key file no token of this database can be used: keep a copy of the key file too, in another place.";

pub(super) fn serve(api: Api) -> Api {
    api.serves(Operation::get("/status", "status", "Says how the server is.").answers::<StatusView>(), status)
        .serves(
            Operation::post(
                "/backup",
                "backup",
                "Writes a copy of the database, on the machine of the server; not at the admin listener.",
            )
            .takes::<BackupTarget>()
            .creates::<BackupView>()
            .refuses(&[ErrorCode::Rule]),
            back_up,
        )
        .serves(
            Operation::post(
                "/trust-clock",
                "trustClock",
                "Says that the clock of the server is right: what ended long ago is swept again within a minute.",
            ),
            trust_clock,
        )
}

async fn status(State(desk): State<Arc<Desk>>) -> Result<Json<StatusView>, AdminError> {
    let (keys, nodes) = (desk.keys().await?, desk.server().nodes().await?);
    let program = desk.administration.program.status();
    Ok(Json(StatusView {
        version: program.version,
        issuer: desk.server().issuer().as_str().to_owned(),
        store: program.store,
        started_at: program.started_at,
        sweep: program.sweep,
        keys,
        nodes: nodes.into_iter().map(Into::into).collect(),
    }))
}

async fn back_up(
    State(desk): State<Arc<Desk>>,
    operator: Operator,
    Json(target): Json<BackupTarget>,
) -> Result<(StatusCode, Json<BackupView>), AdminError> {
    // Whoever has only the admin token chooses no files.
    match desk.door {
        Door::Listener => return Err(AdminError::Remote),
        Door::Socket | Door::Process => {}
    }
    if !Path::new(&target.path).is_absolute() {
        return Err(AdminError::RelativePath(target.path));
    }
    let bytes = desk.administration.program.back_up(Path::new(&target.path)).await?;
    desk.tell(&operator, Act::BackupWritten, &target.path);
    let view = BackupView { path: target.path, bytes, note: BACKUP_NOTE.to_owned() };
    Ok((StatusCode::CREATED, Json(view)))
}

async fn trust_clock(State(desk): State<Arc<Desk>>, operator: Operator) -> Result<StatusCode, AdminError> {
    desk.server().trust_clock().await?;
    desk.tell(&operator, Act::ClockTrusted, "clock");
    Ok(StatusCode::NO_CONTENT)
}
