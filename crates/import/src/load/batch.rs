use std::mem::take;

use regrant_store::{ImportedAccessToken, ImportedGrant, SLICE_ROWS_MAX};

use crate::Origin;

/// The rows of a grant with both tokens, which one foreign row may become.
const GRANT_ROWS: usize = 3;

/// Gathers grants until they are as many as a store takes at once.
#[derive(Debug, Default)]
pub struct SliceFiller {
    grants: Vec<ImportedGrant>,
    rows: usize,
    /// The foreign row of the last grant.
    last: Option<Origin>,
}

impl SliceFiller {
    /// Adds a grant that was read from the row `origin`.
    pub fn add(&mut self, grant: ImportedGrant, origin: &Origin) {
        self.rows += grant.rows();
        self.grants.push(grant);
        self.last = Some(origin.clone());
    }

    /// Puts an access token into the grant of the same foreign row, if that was the last one and is still here.
    ///
    /// # Errors
    /// The token, where there is no such grant.
    pub fn add_to_its_row(
        &mut self,
        token: ImportedAccessToken,
        origin: &Origin,
    ) -> Result<(), Box<ImportedAccessToken>> {
        match self.grants.last_mut() {
            Some(grant) if self.last.as_ref() == Some(origin) => {
                grant.access_tokens.push(token);
                self.rows += 1;
                Ok(())
            }
            _ => Err(Box::new(token)),
        }
    }

    /// Whether the next grant might be too much: then [`SliceFiller::take`] what is here.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.rows + GRANT_ROWS > SLICE_ROWS_MAX as usize
    }

    /// What is here, which is then empty.
    pub fn take(&mut self) -> Vec<ImportedGrant> {
        self.rows = 0;
        self.last = None;
        take(&mut self.grants)
    }
}

#[cfg(test)]
mod tests {
    use regrant_grant::{GrantId, GrantSecret, ImportedBirth, ImportedToken};
    use regrant_protocol::{ClientId, Lifetime, Scope, Subject, Timestamp};
    use regrant_store::ImportError;

    use super::*;

    fn grant() -> ImportedGrant {
        let now = Timestamp::from_seconds(0);
        let birth = ImportedBirth {
            id: GrantId([1; 16]),
            secret: GrantSecret::new([2; 16]),
            client: ClientId::parse("shop").unwrap(),
            subject: Subject::parse("alice").unwrap(),
            scope: Scope::empty(),
            created_at: now,
            authenticated_at: now,
            idle_expires_at: None,
            absolute_expires_at: None,
            access_lifetime: Lifetime::Never,
        };
        ImportedGrant { birth, refresh_token: Some(ImportedToken([3; 32])), access_tokens: Vec::new() }
    }

    fn token() -> ImportedAccessToken {
        let now = Timestamp::from_seconds(0);
        ImportedAccessToken { token: ImportedToken([4; 32]), scope: Scope::empty(), issued_at: now, expires_at: now }
    }

    #[test]
    fn a_slice_is_filled_as_far_as_a_store_takes_it() {
        let origin = |row: usize| Origin { table: "tokens".to_owned(), key: row.to_string() };
        for has_access_tokens in [false, true] {
            let mut filler = SliceFiller::default();
            let mut row = 0;
            while !filler.is_full() {
                filler.add(grant(), &origin(row));
                if has_access_tokens {
                    filler.add_to_its_row(token(), &origin(row)).unwrap();
                }
                row += 1;
            }
            let slice = filler.take();
            assert_eq!(ImportError::check(&slice), Ok(()));
            assert!(slice.iter().map(ImportedGrant::rows).sum::<usize>() + GRANT_ROWS > SLICE_ROWS_MAX as usize);
            assert!(!filler.is_full() && filler.take().is_empty());
        }
    }

    #[test]
    fn an_access_token_joins_the_refresh_token_of_its_own_row_alone() {
        let origin = |key: &str| Origin { table: "tokens".to_owned(), key: key.to_owned() };
        let mut filler = SliceFiller::default();
        assert!(filler.add_to_its_row(token(), &origin("a")).is_err());
        filler.add(grant(), &origin("a"));
        assert!(filler.add_to_its_row(token(), &origin("b")).is_err());
        assert!(filler.add_to_its_row(token(), &origin("a")).is_ok());
        assert_eq!(filler.take()[0].access_tokens.len(), 1);
        assert!(filler.add_to_its_row(token(), &origin("a")).is_err(), "it went with the slice");
    }
}
