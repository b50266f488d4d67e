use std::sync::Arc;

use regrant_crypto::KeyRing;
use regrant_protocol::Kid;
use regrant_store::{AnnouncedKey, ChangeError, NewKeys, NodeId, Store};

use crate::key_rotation::{Unfinished, no_emergency_was_broken_off};
use crate::keys::KeyState;
use crate::signing::{SigningKeys, generate_successors, reseal, seal_new, to_its_end};
use crate::{AuthorizationServer, KeyFile, KeyRotationError};

/// From this number of the newest master key on only emergencies make another: there are no numbers above 255, and a store
/// that has used them up could not answer to a theft.
pub const EMERGENCY_KIDS_FROM: Kid = Kid(240);

/// How long a node that was seen is waited for by a rotation.
pub const NODE_AWAITED_MILLISECONDS: u64 = 10_000;

impl AuthorizationServer {
    /// Makes the master key that the next rotation puts in force, in the key file alone, and returns its number: so that it can
    /// be copied to every node before anything is made under it. Where there is one already, it is that one.
    ///
    /// # Errors
    /// [`KeyRotationError`].
    pub async fn prepare_master_key(&self, key_file: &dyn KeyFile) -> Result<Kid, KeyRotationError> {
        let mut alone = self.rotation.lock().await;
        self.catch_up().await?;
        self.forget_what_lost(&mut alone);
        no_emergency_was_broken_off(&alone)?;
        let ring = self.with_its_key(&mut alone, false)?;
        key_file.replace(&ring)?;
        self.keys.take_in(&ring).map_err(|_| KeyRotationError::KidTaken(ring.newest().0))?;
        *alone = None;
        Ok(ring.newest().0)
    }

    /// Puts the prepared master key in force, or makes one, and returns its number: first in the key file, then in the store,
    /// then in force, so that a crash leaves what can be started again. What was made under the older ones is good as before,
    /// and its successor is made under the new one; the signing keys are sealed under the new one. It is refused while a node
    /// that was seen in the last [`NODE_AWAITED_MILLISECONDS`] has not loaded the key.
    ///
    /// In an `emergency` no node is waited for, and the key is a new one, as what is prepared lies in the file that may have been
    /// stolen. The signing keys are replaced as [`AuthorizationServer::rotate_signing_key`] does in one, and the older master
    /// keys are retired: every refresh token, code, opaque access token and page made under them is dead, and so is whatever
    /// followed from one of them while the emergency ran. At other nodes it is so within two seconds after this returns; they
    /// answer 503 until their key files have the new key. Client secrets, passwords and login sessions stay good.
    ///
    /// # Errors
    /// [`KeyRotationError`]; an emergency that fails has to be asked for again. It stays an emergency, however it is asked
    /// for, and the next start finishes one that is in the key file.
    pub async fn rotate_master_key(&self, key_file: &dyn KeyFile, emergency: bool) -> Result<Kid, KeyRotationError> {
        let mut alone = self.rotation.lock().await;
        self.catch_up().await?;
        self.forget_what_lost(&mut alone);
        let emergency = emergency || alone.as_ref().is_some_and(|ring| ring.is_retiring());
        if !emergency {
            self.nodes_are_ready(&alone).await?;
        }
        let ring = self.with_its_key(&mut alone, emergency)?;
        key_file.replace(&ring)?;
        let kid = ring.newest().0;
        if emergency {
            let left = self.retire_older_keys(&ring).await?;
            *alone = None;
            key_file.replace(&left)?;
        } else {
            self.put_in_force(&ring).await?;
            *alone = None;
            reseal(&*self.store, kid, &ring, &*self.entropy).await?;
        }
        Ok(kid)
    }

    /// Ends whatever was made under the keys of `ring` but the newest, and returns the ring that is in force then. The store
    /// first: once it has forgotten them, a start with a key file that still has them does without.
    ///
    /// Nothing that was made before has a successor that lives, at no node. The store exchanges all keys in one transaction.
    /// At a node the new key is in force not before the old ones are out of force, by one assignment. A step reads the newest
    /// kid first and checks the presented token in its rule, later. Had it read the new kid, then the check finds no old key and
    /// refuses the old token; had it read an old one, then the successor that it commits, before or after, is itself under a
    /// key that is retired. The signing keys follow the ring: what a new one has signed is given away only if the key of its
    /// grant is found in force after that.
    ///
    /// A node that has not heard of it goes on with the old keys until they are not [fresh](crate::freshness::Freshness) any more,
    /// which it looks at before a token and once more in the rule that writes. What it makes until then is under the old keys, so dead where the
    /// transaction is known, and there as soon as it is. What others have made under the new key it cannot check, and so does
    /// not refuse before it has asked the store.
    pub(crate) async fn retire_older_keys(&self, ring: &KeyRing) -> Result<KeyRing, KeyRotationError> {
        let (kid, now) = (ring.newest().0, self.clock.now());
        let new = generate_successors(&*self.store).await?;
        let signing = new.iter().map(|key| seal_new(key, (now, now), (kid, ring), &*self.entropy)).collect();
        let keys = NewKeys { master: announced(ring, kid), signing, withdrawn_at: now };
        let new = SigningKeys::of(new.into_iter().map(|key| (key, now)))?;
        let mut left = ring.clone();
        left.retire_below(kid);
        let (store, in_force, open) = (Arc::clone(&self.store), Arc::clone(&self.keys), Arc::clone(&self.signing));
        let (known, loaded) = (Arc::clone(&self.known), left.clone());
        to_its_end(async move {
            let _alone = known.lock().await;
            let master = keys.master;
            let replaced = store.replace_keys(keys).await;
            replaced.map_err(|error| KeyRotationError::of_master_key(error, kid))?;
            in_force.load(&loaded, vec![master]);
            open.load(&new);
            Ok::<_, KeyRotationError>(())
        })
        .await?;
        Ok(left)
    }

    /// What this process is known by among the nodes.
    pub(crate) fn node_id(&self) -> NodeId {
        *self.node.get_or_init(|| NodeId(regrant_crypto::random(&*self.entropy)))
    }

    /// Tells the store of the newest key of the ring, and makes new tokens under it from now on.
    async fn put_in_force(&self, ring: &Arc<KeyRing>) -> Result<(), KeyRotationError> {
        let (store, keys, known) = (Arc::clone(&self.store), Arc::clone(&self.keys), Arc::clone(&self.known));
        let ring = Arc::clone(ring);
        to_its_end(async move {
            let _alone = known.lock().await;
            let kid = ring.newest().0;
            announce(&*store, &ring, kid).await.map_err(|error| KeyRotationError::of_master_key(error, kid))?;
            keys.load(&ring, store.announced_keys().await?);
            Ok(())
        })
        .await
    }

    /// That every other node that is there has the key that is to be put in force.
    async fn nodes_are_ready(&self, unfinished: &Unfinished) -> Result<(), KeyRotationError> {
        let Some(shared) = self.store.shared() else { return Ok(()) };
        let ring = unfinished.clone().unwrap_or_else(|| self.keys.ring());
        let newest = ring.newest().0;
        let (kid, key) = match self.keys.state_of(newest) {
            KeyState::Prepared | KeyState::Ahead => (newest, Some(announced(&ring, newest))),
            // A rotation whose announcement was committed, and not answered: it is in force, whoever has it.
            _ if unfinished.is_some() => return Ok(()),
            // It is still to be made.
            KeyState::InForce | KeyState::Missing | KeyState::Retired | KeyState::Nobodys => {
                (newest.next().unwrap_or(newest), None)
            }
        };
        let others = shared.nodes().await?.into_iter().filter(|seen| seen.node.id != self.node_id());
        let mut there = others.filter(|seen| seen.seen_milliseconds_ago < NODE_AWAITED_MILLISECONDS);
        match there.find(|seen| Some(seen.node.newest_key) != key) {
            Some(seen) => Err(KeyRotationError::NodeNotReady { node: seen.node.name, kid }),
            None => Ok(()),
        }
    }

    /// Forgets a rotation that was broken off when its key can be put in force no more, because another node has put one of that
    /// number or a newer one in force: written once more, its ring would take that one out of the key file.
    pub(crate) fn forget_what_lost(&self, unfinished: &mut Unfinished) {
        let newest_in_force = self.keys.announced().last().copied();
        let is_possible = |ring: &KeyRing| {
            let key = announced(ring, ring.newest().0);
            newest_in_force.is_none_or(|newest| key.kid > newest.kid || key == newest)
        };
        if unfinished.as_ref().is_some_and(|ring| !is_possible(ring)) {
            *unfinished = None;
        }
    }

    /// The ring of this process, with the key of a rotation: the one that is prepared, or a new one. A rotation that was broken
    /// off after the key file may have been written is finished with the key that it made: a second key of the same number would
    /// not be the one that the store was told of.
    fn with_its_key(&self, unfinished: &mut Unfinished, emergency: bool) -> Result<Arc<KeyRing>, KeyRotationError> {
        if let Some(begun) = unfinished.as_ref().filter(|ring| !emergency || ring.is_retiring()) {
            return Ok(Arc::clone(begun));
        }
        let mut ring = KeyRing::clone(unfinished.as_ref().unwrap_or(&self.keys.ring()));
        if let Some(kid) = self.keys.missing().filter(|kid| ring.get(*kid).is_none()) {
            return Err(KeyRotationError::KeyMissing(kid));
        }
        if emergency || self.keys.state_of(ring.newest().0) != KeyState::Prepared {
            if !emergency && ring.newest().0 >= EMERGENCY_KIDS_FROM {
                return Err(KeyRotationError::KidsForEmergencies);
            }
            ring.add(&*self.entropy)?;
        }
        if emergency {
            ring.begin_retirement();
        }
        Ok(Arc::clone(unfinished.insert(Arc::new(ring))))
    }
}

/// Tells the store of a key of the ring.
pub(crate) async fn announce(store: &dyn Store, ring: &KeyRing, kid: Kid) -> Result<(), ChangeError> {
    store.announce_key(announced(ring, kid)).await
}

fn announced(ring: &KeyRing, kid: Kid) -> AnnouncedKey {
    AnnouncedKey { kid, check_value: ring.check_value(kid).expect("the ring has the key that is announced") }
}

#[cfg(test)]
mod tests {
    use regrant_crypto::{Algorithm, SeededEntropy};
    use regrant_protocol::{ClientAuthentication, Params};
    use regrant_store::{SigningKeyChange, StoreError};
    use serde_json::Map;

    use super::*;
    use crate::TokenError;
    use crate::token::Granted;
    use crate::world::{Nowhere, World};

    #[tokio::test]
    async fn a_new_signing_key_signs_nothing_for_a_grant_that_the_emergency_ended() {
        let world = World::new().await;
        let claimed = ClientAuthentication::find(None, &Params::parse(b"client_id=app").unwrap()).unwrap();
        let client = world.server.authenticate(&world.context(), &claimed).await.unwrap();
        let row = world.row_of(|_| {}).await;
        let (scope, resources, now) = (row.scope.clone(), row.resources.clone(), world.now());
        // Committed, and not answered yet.
        let granted = Granted { row, now, session_ends_at: None, scope, resources, added: Map::new() };
        assert!(world.server.respond(&client, &granted, None).await.is_ok());
        world.server.rotate_master_key(&Nowhere, false).await.unwrap();
        assert!(world.server.respond(&client, &granted, None).await.is_ok());
        world.server.rotate_master_key(&Nowhere, true).await.unwrap();
        let refused = world.server.respond(&client, &granted, None).await;
        assert!(matches!(refused, Err(TokenError::Store(StoreError::Unavailable(_)))), "{refused:?}");
    }

    #[tokio::test]
    async fn an_emergency_makes_signing_keys_where_a_failed_one_has_left_none() {
        let world = World::new().await;
        let (server, store) = (&world.server, &world.server.store);
        let algorithms = || Algorithm::ALL.map(|algorithm| server.signing_key(algorithm).is_some());
        let before = algorithms();
        // As the journal has the store do it when the commit of an emergency has failed.
        for key in store.signing_keys().await.unwrap() {
            store.change_signing_key(&key.key_id, SigningKeyChange::Withdraw(world.now())).await.unwrap();
            server.signing.remove(&key.key_id);
        }
        server.rotate_master_key(&Nowhere, true).await.unwrap();
        assert_eq!(algorithms(), before);
    }

    #[tokio::test]
    async fn the_last_numbers_are_for_emergencies() {
        let server = World::new().await.server;
        let (mut ring, entropy) = (KeyRing::clone(&server.keys.ring()), SeededEntropy::new(1));
        while ring.newest().0.next() != Some(EMERGENCY_KIDS_FROM) {
            ring.add(&entropy).unwrap();
        }
        let announced = ring.iter().map(|(kid, _)| AnnouncedKey { kid, check_value: ring.check_value(kid).unwrap() });
        server.keys.load(&ring, announced.collect());
        announce(&*server.store, &ring, ring.newest().0).await.unwrap();
        for (emergency, made) in
            [(false, Some(240)), (false, None), (true, Some(241)), (false, None), (true, Some(242))]
        {
            let rotated = server.rotate_master_key(&Nowhere, emergency).await;
            match made {
                Some(kid) => assert_eq!(rotated.unwrap(), Kid(kid)),
                None => assert!(matches!(rotated, Err(KeyRotationError::KidsForEmergencies)), "{rotated:?}"),
            }
        }
    }
}
