use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use regrant_crypto::Purpose;
use regrant_grant::GrantSecret;
use regrant_protocol::Kid;

/// The most keys of one kind that are kept, each of about a thousand bytes.
const DERIVED_KEYS_MAX: usize = 1_024;

/// Keys that were derived from a master key and a grant's secret: what is checked and then made under one is derived once, and
/// again only after its place was needed. They erase themselves when they go.
pub(crate) struct DerivedKeys<K>(RwLock<HashMap<(Kid, Purpose, GrantSecret), Arc<K>>>);

impl<K> DerivedKeys<K> {
    pub(crate) fn new() -> Self {
        Self(RwLock::new(HashMap::new()))
    }

    /// The key of a purpose under these two, which `derive` makes where it is not kept.
    pub(crate) fn get(&self, kid: Kid, purpose: Purpose, secret: &GrantSecret, derive: impl FnOnce() -> K) -> Arc<K> {
        let of = (kid, purpose, secret.clone());
        if let Some(kept) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&of) {
            return Arc::clone(kept);
        }
        let key = Arc::new(derive());
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= DERIVED_KEYS_MAX
            && let Some(other) = kept.keys().next().cloned()
        {
            kept.remove(&other);
        }
        kept.insert(of, Arc::clone(&key));
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(number: usize) -> GrantSecret {
        GrantSecret::new((number as u128).to_be_bytes())
    }

    #[test]
    fn a_key_is_derived_once_for_each_master_key_purpose_and_secret() {
        let keys = DerivedKeys::new();
        let others = [
            (Kid(1), Purpose::Refresh, 1),
            (Kid(2), Purpose::Refresh, 1),
            (Kid(1), Purpose::Code, 1),
            (Kid(1), Purpose::Refresh, 2),
        ];
        for round in 0..2 {
            for (number, (kid, purpose, of)) in others.into_iter().enumerate() {
                let key = keys.get(kid, purpose, &secret(of), || {
                    assert_eq!(round, 0, "it is kept");
                    number
                });
                assert_eq!(*key, number);
            }
        }
    }

    #[test]
    fn no_more_are_kept_than_may_be() {
        let keys = DerivedKeys::new();
        for number in 0..2 * DERIVED_KEYS_MAX {
            assert_eq!(*keys.get(Kid(1), Purpose::Access, &secret(number), || number), number);
        }
        assert_eq!(keys.0.read().unwrap().len(), DERIVED_KEYS_MAX);
    }
}
