use regrant_engine::{SweepOutcome, Sweeper};
use tokio::time::sleep;

/// Sweeps slice by slice for as long as the server runs, with the pauses that the sweeper asks for. It returns when the clock
/// has jumped: from then on nothing is removed until the next start. `told` hears of every slice.
pub(crate) async fn sweep(sweeper: Sweeper, told: impl Fn(&SweepOutcome)) {
    loop {
        let outcome = sweeper.sweep_slice().await;
        told(&outcome);
        let Some(pause) = outcome.pause() else { return };
        sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use regrant_crypto::{SeededEntropy, random};
    use regrant_engine::{AuthorizationServer, Hooks, Parts, SESSION_SECONDS};
    use regrant_grant::SessionId;
    use regrant_protocol::{Clock, Issuer, ManualClock, Profile, Secret, Timestamp};
    use regrant_store::Session;

    use super::*;
    use regrant_data_directory::DataDirectory;

    const DAY_SECONDS: i64 = 24 * 60 * 60;

    #[tokio::test(start_paused = true)]
    async fn it_goes_round_and_round_until_the_clock_jumps() {
        let folder = tempfile::tempdir().unwrap();
        let directory = DataDirectory::open(&folder.path().join("data")).unwrap();
        let entropy = Arc::new(SeededEntropy::new(1));
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_800_000_000)));
        let parts = Parts {
            issuer: Issuer::parse("https://id.example").unwrap(),
            ring: directory.key_ring(&*entropy).unwrap(),
            store: Arc::new(directory.store(&*entropy, clock.clone()).unwrap()),
            clock: clock.clone(),
            entropy: entropy.clone(),
            session_seconds: SESSION_SECONDS,
            hooks: Hooks::default(),
        };
        let server = AuthorizationServer::open(parts).await.unwrap();
        let user = server.register_user("alice", Secret::new("wonderland".to_owned()), Profile::default());
        let user = user.await.unwrap();
        let session = Session {
            id: SessionId(random(&*entropy)),
            secret_digest: [8; 32],
            user,
            created_at: clock.now(),
            authenticated_at: clock.now(),
            expires_at: clock.now().plus_seconds(1),
        };
        let id = session.id;
        server.store().keep_session(session).await.unwrap();

        let sweeping = tokio::spawn(sweep(server.sweeper(), |_| {}));
        clock.advance_seconds(u32::try_from(2 * DAY_SECONDS).unwrap());
        while server.store().session(id).await.unwrap().is_some() {
            sleep(std::time::Duration::from_secs(1)).await;
        }
        clock.jump_to(clock.now().plus_seconds(10 * DAY_SECONDS));
        sweeping.await.unwrap();
    }
}
