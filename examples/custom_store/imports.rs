use std::collections::HashSet;

use regrant::store::{
    FoundToken, Grant, GrantId, Imported, ImportedBirth, ImportedGrant, ImportedToken, StoreError, Surroundings,
    Timestamp,
};

use crate::tables::Tables;

/// Tokens of another system.
impl Tables {
    /// Takes over grants, with what of their tokens is not here yet.
    pub(crate) fn import(&mut self, grants: Vec<ImportedGrant>, now: Timestamp) -> Result<Imported, StoreError> {
        self.check_names(&grants)?;
        let mut imported = Imported::default();
        for grant in grants {
            if self.client_party(&grant.birth.client).is_none() || self.user_party(&grant.birth.subject).is_none() {
                imported += grant.ownerless();
                continue;
            }
            let ImportedGrant { birth, refresh_token, access_tokens } = grant;
            let mut made = None;
            if let Some(token) = refresh_token {
                if let Some((known, _)) = self.imported_refresh_tokens.get(&token.0) {
                    imported.known += 1;
                    if !self.grants.contains_key(known) {
                        imported.known += access_tokens.len() as u64;
                        continue;
                    }
                    made = Some(*known);
                } else {
                    let grant = self.make_imported(birth.clone(), now);
                    self.imported_refresh_tokens.insert(token.0, (grant, birth.remembered_until(now)));
                    imported.refresh_tokens += 1;
                    made = Some(grant);
                }
            }
            for access_token in access_tokens {
                if self.imported_access_tokens.contains_key(&access_token.token.0) {
                    imported.known += 1;
                    continue;
                }
                let grant = made.unwrap_or_else(|| self.make_imported(birth.clone(), now));
                made = Some(grant);
                self.imported_access_tokens.insert(access_token.token.0, (grant, access_token));
                imported.access_tokens += 1;
            }
        }
        Ok(imported)
    }

    /// Whether every row that is to be made has a name of its own, before the first is.
    fn check_names(&self, grants: &[ImportedGrant]) -> Result<(), StoreError> {
        let mut names = HashSet::new();
        for ImportedGrant { birth, refresh_token, access_tokens } in grants {
            let makes_row = match refresh_token {
                Some(token) => !self.imported_refresh_tokens.contains_key(&token.0),
                None => access_tokens.iter().any(|token| !self.imported_access_tokens.contains_key(&token.token.0)),
            };
            if makes_row && (self.grants.contains_key(&birth.id) || !names.insert(birth.id)) {
                let (row, problem) = (birth.id.to_string(), "is taken".to_owned());
                return Err(StoreError::Inconsistent { table: "grants", column: "id", row, problem });
            }
        }
        Ok(())
    }

    /// A token of either kind.
    pub(crate) fn imported_token(&self, token: &ImportedToken) -> Option<FoundToken> {
        if let Some((grant, _)) = self.imported_refresh_tokens.get(&token.0) {
            return Some(FoundToken::Refresh(*grant));
        }
        let (grant, access_token) = self.imported_access_tokens.get(&token.0)?.clone();
        Some(FoundToken::Access(grant, Box::new(access_token)))
    }

    fn make_imported(&mut self, birth: ImportedBirth, now: Timestamp) -> GrantId {
        let (client, user) = (self.client_party(&birth.client), self.user_party(&birth.subject));
        let surroundings = Surroundings { epoch: self.epoch, client, user, root: None, session_ends_at: None };
        let row = Grant::imported(birth, &surroundings, now);
        let id = row.id;
        self.grants.insert(id, row);
        id
    }

    /// The access tokens that were imported go with their grant; the refresh token is remembered.
    pub(crate) fn forget_imported(&mut self, id: GrantId) {
        self.imported_access_tokens.retain(|_, (grant, _)| *grant != id);
    }
}
