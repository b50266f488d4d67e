use regrant::protocol::Kid;
use regrant::store::{
    AnnouncedKey, ChangeError, NewKeys, SealedSigningKey, SigningKeyChange, StoreError, sealed_under_retired,
};

use crate::tables::Tables;

/// Master keys that were announced, and sealed signing keys.
impl Tables {
    pub(crate) fn announce_key(&mut self, key: AnnouncedKey) -> Result<(), ChangeError> {
        let taken = || ChangeError::Taken(format!("master key {}", key.kid.0));
        let is_retired = self.is_retired(key.kid);
        match self.announced_keys.get(&key.kid) {
            Some(known) if *known == key => Ok(()),
            Some(_) => Err(taken()),
            None if is_retired => Err(taken()),
            None => {
                self.announced_keys.insert(key.kid, key);
                Ok(())
            }
        }
    }

    pub(crate) fn replace_keys(&mut self, keys: NewKeys) -> Result<(), ChangeError> {
        self.announce_key(keys.master)?;
        self.announced_keys.retain(|kid, _| *kid >= keys.master.kid);
        for key in self.signing_keys.iter_mut().filter(|key| key.withdrawn_at.is_none()) {
            key.withdrawn_at = Some(keys.withdrawn_at);
            key.sealed.clear();
        }
        for key in keys.signing {
            self.add_signing_key(key)?;
        }
        Ok(())
    }

    pub(crate) fn add_signing_key(&mut self, key: SealedSigningKey) -> Result<(), StoreError> {
        if self.is_retired(key.sealed_under) {
            return Err(sealed_under_retired(key.sealed_under));
        }
        if self.signing_keys.iter().all(|known| known.key_id != key.key_id) {
            self.signing_keys.push(key);
            self.signing_keys.sort_by_key(|key| key.created_at);
        }
        Ok(())
    }

    pub(crate) fn add_first_signing_key(&mut self, key: SealedSigningKey) -> Result<(), StoreError> {
        let counts = |known: &SealedSigningKey| known.algorithm == key.algorithm && known.withdrawn_at.is_none();
        if self.signing_keys.iter().any(counts) { Ok(()) } else { self.add_signing_key(key) }
    }

    fn is_retired(&self, kid: Kid) -> bool {
        self.announced_keys.keys().next().is_some_and(|oldest| kid < *oldest)
    }

    pub(crate) fn change_signing_key(&mut self, key_id: &str, change: SigningKeyChange) -> Result<(), ChangeError> {
        let unknown = || ChangeError::Unknown(key_id.to_owned());
        let is_dead = matches!(change, SigningKeyChange::Reseal { sealed_under, .. } if self.is_retired(sealed_under));
        let key = self.signing_keys.iter_mut().find(|key| key.key_id == key_id).ok_or_else(unknown)?;
        match change {
            SigningKeyChange::Withdraw(at) => {
                key.withdrawn_at.get_or_insert(at);
                key.sealed.clear();
            }
            SigningKeyChange::Reseal { .. } if is_dead || key.withdrawn_at.is_some() => return Err(unknown()),
            SigningKeyChange::Reseal { sealed_under, sealed } => {
                (key.sealed_under, key.sealed) = (sealed_under, sealed)
            }
        }
        Ok(())
    }
}
