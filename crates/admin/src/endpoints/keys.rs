use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use regrant_crypto::Algorithm;
use regrant_engine as engine;
use regrant_engine::{Act, KeyView};
use regrant_store::SeenNode;
use tokio::sync::Mutex;
use tracing::error;

use crate::api::Api;
use crate::desk::{Desk, Operator};
use crate::error::AdminError;
use crate::json::Json;
use crate::named::Named;
use crate::operation::Operation;
use crate::{
    ErrorCode, KeyChoice, KeysView, MasterKeyState, MasterKeyView, NodeView, PreparedKey, RotateKeys, RotatedKeys,
    SigningKeyState, SigningKeyView, Time,
};

/// Held while keys change: what has become of them is found by comparison.
static KEYS_CHANGE: Mutex<()> = Mutex::const_new(());

pub(super) fn serve(api: Api) -> Api {
    api.serves(
        Operation::get("/keys", "listKeys", "Lists the keys of the server, which it does not show.")
            .answers::<KeysView>(),
        list,
    )
    .serves(
        Operation::post("/keys/rotate", "rotateKeys", "Makes a successor of a key, or of all three that sign.")
            .takes::<RotateKeys>()
            .answers::<RotatedKeys>()
            .refuses(&[ErrorCode::Rule]),
        rotate,
    )
    .serves(
        Operation::post(
            "/keys/prepare",
            "prepareMasterKey",
            "Makes the master key that the next rotation puts in force, so that it can be copied to every node first.",
        )
        .answers::<PreparedKey>()
        .refuses(&[ErrorCode::Rule]),
        prepare,
    )
    .serves(
        Operation::post(
            "/keys/{key_id}/withdraw",
            "withdrawKey",
            "Takes a signing key that signs no more out of the key set; what it signed is refused.",
        )
        .refuses(&[ErrorCode::Rule]),
        withdraw,
    )
}

async fn list(State(desk): State<Arc<Desk>>) -> Result<Json<KeysView>, AdminError> {
    Ok(Json(desk.keys().await?))
}

async fn rotate(
    State(desk): State<Arc<Desk>>,
    operator: Operator,
    Json(asked): Json<RotateKeys>,
) -> Result<Json<RotatedKeys>, AdminError> {
    let _alone = KEYS_CHANGE.lock().await;
    let before = desk.keys().await?;
    let rotated = desk.rotate(asked).await;
    // What was done before something failed is done.
    desk.tell_of_keys(&operator, &before, asked.emergency).await;
    rotated.map(Json)
}

async fn prepare(State(desk): State<Arc<Desk>>, operator: Operator) -> Result<Json<PreparedKey>, AdminError> {
    let _alone = KEYS_CHANGE.lock().await;
    let before = desk.keys().await?;
    let prepared = desk.server().prepare_master_key(&*desk.administration.key_file).await;
    desk.tell_of_keys(&operator, &before, false).await;
    Ok(Json(PreparedKey { kid: prepared?.0 }))
}

async fn withdraw(State(desk): State<Arc<Desk>>, operator: Operator, name: Named) -> Result<StatusCode, AdminError> {
    let _alone = KEYS_CHANGE.lock().await;
    let before = desk.keys().await?;
    desk.server().withdraw_signing_key(name.as_str()).await?;
    desk.tell_of_keys(&operator, &before, false).await;
    Ok(StatusCode::NO_CONTENT)
}

impl Desk {
    async fn rotate(&self, asked: RotateKeys) -> Result<RotatedKeys, AdminError> {
        let algorithms: &[Algorithm] = match asked.key {
            KeyChoice::Es256 => &[Algorithm::Es256],
            KeyChoice::Eddsa => &[Algorithm::EdDsa],
            KeyChoice::Rs256 => &[Algorithm::Rs256],
            KeyChoice::Signing => &Algorithm::ALL,
            KeyChoice::Master => {
                let key_file = &*self.administration.key_file;
                let kid = self.server().rotate_master_key(key_file, asked.emergency).await?;
                return Ok(RotatedKeys { made: vec![kid.0.to_string()], signs_from: None });
            }
        };
        let mut rotated = RotatedKeys { made: Vec::new(), signs_from: None };
        for &algorithm in algorithms {
            let key = self.server().rotate_signing_key(algorithm, asked.emergency).await?;
            rotated.signs_from = rotated.signs_from.max(Some(Time(key.signs_from)));
            rotated.made.push(key.key_id);
        }
        Ok(rotated)
    }

    /// Tells what has become of the keys since there were those of `before`.
    async fn tell_of_keys(&self, operator: &Operator, before: &KeysView, emergency: bool) {
        let after = match self.keys().await {
            Ok(after) => after,
            Err(error) => return error!(%error, "the keys were changed, and the audit trail does not say how"),
        };
        let is_left = |old: &&MasterKeyView| after.master.iter().any(|key| key.kid == old.kid);
        let retired: Vec<_> = before.master.iter().filter(|old| !is_left(old)).collect();
        // An emergency that was broken off stays one, however it is asked for again.
        let emergency = emergency || !retired.is_empty();
        let was = |key: &MasterKeyView| before.master.iter().find(|old| old.kid == key.kid).map(|old| old.state);
        for key in &after.master {
            let act = match (was(key), key.state) {
                (None, MasterKeyState::Prepared) => Act::MasterKeyPrepared,
                (None | Some(MasterKeyState::Prepared), MasterKeyState::Newest) => Act::MasterKeyRotated { emergency },
                _ => continue,
            };
            self.tell(operator, act, &key.kid.to_string());
        }
        for key in retired {
            self.tell(operator, Act::MasterKeyRetired, &key.kid.to_string());
        }
        for key in &after.signing {
            match before.signing.iter().find(|old| old.key_id == key.key_id) {
                None => self.tell(operator, Act::KeyRotated { emergency }, &key.key_id),
                Some(old) if old.withdrawn_at != key.withdrawn_at => {
                    self.tell(operator, Act::KeyWithdrawn { emergency }, &key.key_id);
                }
                Some(_) => {}
            }
        }
    }

    /// Every key.
    pub(super) async fn keys(&self) -> Result<KeysView, AdminError> {
        let mut view = KeysView { master: Vec::new(), signing: Vec::new() };
        for key in self.server().keys().await? {
            match key {
                KeyView::Master(key) => view.master.push(MasterKeyView { kid: key.kid.0, state: key.state.into() }),
                KeyView::Signing(key) => view.signing.push(key.into()),
            }
        }
        Ok(view)
    }
}

impl From<engine::SigningKeyView> for SigningKeyView {
    fn from(key: engine::SigningKeyView) -> Self {
        Self {
            key_id: key.key_id,
            algorithm: key.algorithm.as_str().to_owned(),
            state: key.state.into(),
            created_at: key.created_at.into(),
            signs_from: key.signs_from.into(),
            withdrawn_at: key.withdrawn_at.map(Time),
        }
    }
}

impl From<engine::MasterKeyState> for MasterKeyState {
    fn from(state: engine::MasterKeyState) -> Self {
        match state {
            engine::MasterKeyState::Good => Self::Good,
            engine::MasterKeyState::Newest => Self::Newest,
            engine::MasterKeyState::Prepared => Self::Prepared,
            engine::MasterKeyState::Missing => Self::Missing,
        }
    }
}

impl From<SeenNode> for NodeView {
    fn from(SeenNode { node, seen_milliseconds_ago }: SeenNode) -> Self {
        let newest_kid = node.newest_key.kid.0;
        Self { name: node.name, version: node.version, newest_kid, seen_milliseconds_ago }
    }
}

impl From<engine::SigningKeyState> for SigningKeyState {
    fn from(state: engine::SigningKeyState) -> Self {
        match state {
            engine::SigningKeyState::Waiting => Self::Waiting,
            engine::SigningKeyState::Signing => Self::Signing,
            engine::SigningKeyState::Verifying => Self::Verifying,
            engine::SigningKeyState::Withdrawn => Self::Withdrawn,
        }
    }
}
