use regrant::store::{AnnouncedKey, ChangeError, Kid, SealedSigningKey, SigningKeyChange};

use crate::tables::Tables;

/// Master keys that were announced, and sealed signing keys.
impl Tables {
    pub(crate) fn announce_key(&mut self, key: AnnouncedKey) -> Result<(), ChangeError> {
        let taken = || ChangeError::Taken(format!("master key {}", key.kid.0));
        let is_retired = self.announced_keys.keys().next().is_some_and(|oldest| key.kid < *oldest);
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

    pub(crate) fn retire_keys_below(&mut self, oldest: Kid) -> Result<(), ChangeError> {
        if !self.announced_keys.contains_key(&oldest) {
            return Err(ChangeError::Unknown(format!("master key {}", oldest.0)));
        }
        self.announced_keys.retain(|kid, _| *kid >= oldest);
        Ok(())
    }

    pub(crate) fn add_signing_key(&mut self, key: SealedSigningKey) {
        if self.signing_keys.iter().all(|known| known.key_id != key.key_id) {
            self.signing_keys.push(key);
            self.signing_keys.sort_by_key(|key| key.created_at);
        }
    }

    pub(crate) fn change_signing_key(&mut self, key_id: &str, change: SigningKeyChange) -> Result<(), ChangeError> {
        let unknown = || ChangeError::Unknown(key_id.to_owned());
        let key = self.signing_keys.iter_mut().find(|key| key.key_id == key_id).ok_or_else(unknown)?;
        match change {
            SigningKeyChange::Withdraw(at) => {
                key.withdrawn_at.get_or_insert(at);
                key.sealed.clear();
            }
            SigningKeyChange::Reseal { .. } if key.withdrawn_at.is_some() => return Err(unknown()),
            SigningKeyChange::Reseal { sealed_under, sealed } => {
                (key.sealed_under, key.sealed) = (sealed_under, sealed)
            }
        }
        Ok(())
    }
}
