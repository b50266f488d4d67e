use std::mem::take;

use regrant_grant::ImportedToken;
use regrant_protocol::{ClientId, Timestamp};
use regrant_store::{ImportedAccessToken, ImportedGrant, SLICE_ROWS_MAX};

use super::staged_tokens::StagedToken;
use crate::Expiry;

/// The rows of a grant with both tokens.
const GRANT_ROWS: usize = 3;
/// The most rows of one entry; where a user has more access tokens, the others follow in another entry for the same grant.
const ENTRY_ROWS_MAX: usize = 100;
/// The most rows of a batch: what a store writes of it, but for the digests, then fits into its cache.
const BATCH_ROWS_MAX: usize = 32 * SLICE_ROWS_MAX as usize;

/// Gathers grants, user by user, until they are as many as are to be written together; and brings access tokens to the refresh
/// tokens that they go with: that of the same foreign row, else the one of the same client and user that ends last, so that whoever
/// ends the one ends the other.
#[derive(Debug, Default)]
pub struct Batch {
    grants: Vec<ImportedGrant>,
    rows: usize,
    /// The foreign row of the last grant, if that is here.
    last_row: Option<i64>,
    /// The refresh token of the present client and user that ends last.
    pair: Option<Pair>,
}

#[derive(Debug)]
struct Pair {
    client: ClientId,
    user: String,
    token: Option<ImportedToken>,
    ends_at: Timestamp,
    /// Where its grant is, if that is here.
    at: Option<usize>,
}

impl Batch {
    /// Adds the grant of a refresh token.
    pub fn add_refresh(&mut self, grant: ImportedGrant, token: &StagedToken) {
        let ends_at = match token.expires_at {
            Expiry::At(end) => end,
            Expiry::Never => Timestamp::from_milliseconds(i64::MAX),
        };
        let is_later = self.pair.as_ref().is_none_or(|pair| !pair.is_of(token) || pair.ends_at < ends_at);
        if is_later {
            let (client, user) = (token.client.clone(), token.user.clone());
            let at = Some(self.grants.len());
            self.pair = Some(Pair { client, user, token: grant.refresh_token, ends_at, at });
        }
        self.add(grant, token.row);
    }

    /// Adds an access token, in the grant that it goes with, or in `alone` where there is none.
    pub fn add_access(&mut self, access: ImportedAccessToken, mut alone: ImportedGrant, token: &StagedToken) {
        let pair = self.pair.as_mut().filter(|pair| pair.is_of(token));
        let at = if self.last_row == Some(token.row) {
            self.grants.len().checked_sub(1)
        } else {
            pair.as_ref().and_then(|pair| pair.at)
        };
        let has_room = |grant: &&mut ImportedGrant| grant.rows() < ENTRY_ROWS_MAX;
        if let Some(grant) = at.and_then(|at| self.grants.get_mut(at)).filter(has_room) {
            grant.access_tokens.push(access);
            self.rows += 1;
            return;
        }
        if let Some(pair) = pair {
            // Its refresh token came before it, and the store finds the grant of that.
            alone.refresh_token = pair.token;
            pair.at = Some(self.grants.len());
        }
        self.add(alone, token.row);
    }

    fn add(&mut self, grant: ImportedGrant, row: i64) {
        self.rows += grant.rows();
        self.grants.push(grant);
        self.last_row = Some(row);
    }

    /// Whether the next token might be too much: then [`Batch::take`] what is here.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.rows + GRANT_ROWS > BATCH_ROWS_MAX
    }

    /// What is here, in slices that a store takes, and in the order of their digests, so that a store that keeps them in that order
    /// comes by every place once. The batch is empty then.
    pub fn take(&mut self) -> Vec<Vec<ImportedGrant>> {
        self.rows = 0;
        self.last_row = None;
        if let Some(pair) = &mut self.pair {
            pair.at = None;
        }
        let mut grants = take(&mut self.grants);
        // Entries for one grant stay in their order.
        grants.sort_by_key(|grant| {
            let access = grant.access_tokens.first().map(|access| access.token);
            grant.refresh_token.or(access)
        });
        let mut slices: Vec<Vec<ImportedGrant>> = Vec::new();
        let mut rows = 0;
        for grant in grants {
            if slices.is_empty() || rows + grant.rows() > SLICE_ROWS_MAX as usize {
                slices.push(Vec::new());
                rows = 0;
            }
            rows += grant.rows();
            slices.last_mut().expect("there is one").push(grant);
        }
        slices
    }
}

impl Pair {
    fn is_of(&self, token: &StagedToken) -> bool {
        self.client == token.client && self.user == token.user
    }
}

#[cfg(test)]
mod tests {
    use regrant_grant::{GrantId, GrantSecret};
    use regrant_protocol::{Scope, Subject};
    use regrant_store::{ClientDefaults, ImportError};

    use super::*;
    use crate::load::client::tests::foreign;
    use crate::load::{GrantParts, RefreshLifetime, StagedKind, TokenTerms, access_grant, access_token, refresh_grant};
    use crate::{TokenDigest, UserStanding};

    /// The `number`th token, of a foreign row and a user, that ends at `ends_at`.
    fn token(kind: StagedKind, number: u8, row: i64, user: &str, ends_at: i64) -> StagedToken {
        StagedToken {
            kind,
            row,
            digest: TokenDigest::from_bytes([number; 32]),
            client: ClientId::parse("shop").unwrap(),
            user: user.to_owned(),
            standing: UserStanding::Known,
            scope: None,
            issued_at: None,
            expires_at: Expiry::At(Timestamp::from_seconds(ends_at)),
        }
    }

    fn add(filler: &mut Batch, token: &StagedToken) {
        let settings = ClientDefaults::BUILT_IN.settings(regrant_grant::ClientKind::Confidential, Scope::empty());
        let terms = TokenTerms::of(&foreign("shop"), &settings, RefreshLifetime::OfClient);
        let now = Timestamp::from_seconds(0);
        let parts = GrantParts {
            id: GrantId([1; 16]),
            secret: GrantSecret::new([2; 16]),
            subject: Subject::parse("alice").unwrap(),
            now,
        };
        match token.kind {
            StagedKind::Refresh => filler.add_refresh(refresh_grant(token, parts, &terms), token),
            StagedKind::Access => {
                filler.add_access(access_token(token, &terms, now), access_grant(token, parts, &terms), token);
            }
        }
    }

    #[test]
    fn a_batch_is_filled_and_cut_as_a_store_takes_it_in_the_order_of_digests() {
        for kinds in [&[StagedKind::Refresh][..], &[StagedKind::Refresh, StagedKind::Access], &[StagedKind::Access]] {
            let mut batch = Batch::default();
            let mut row = 0;
            while !batch.is_full() {
                for kind in kinds {
                    let number = u8::try_from(255 - row % 256).unwrap();
                    add(&mut batch, &token(*kind, number, row, &row.to_string(), 9));
                }
                row += 1;
            }
            let slices = batch.take();
            assert!(slices.iter().all(|slice| ImportError::check(slice).is_ok()));
            let rows: usize = slices.iter().flatten().map(ImportedGrant::rows).sum();
            assert!(rows <= BATCH_ROWS_MAX && rows + GRANT_ROWS > BATCH_ROWS_MAX, "{rows}");
            assert!(slices.iter().flatten().is_sorted_by_key(|grant| {
                grant.refresh_token.or(grant.access_tokens.first().map(|access| access.token))
            }));
            assert!(!batch.is_full() && batch.take().is_empty());
        }
    }

    #[test]
    fn more_access_tokens_than_one_entry_takes_follow_in_others_for_the_same_grant() {
        let mut batch = Batch::default();
        add(&mut batch, &token(StagedKind::Refresh, 1, 0, "alice", 9));
        let count = 2 * i64::from(SLICE_ROWS_MAX);
        for row in 1..=count {
            add(&mut batch, &token(StagedKind::Access, 2, row, "alice", 9));
        }
        let slices = batch.take();
        assert!(slices.iter().all(|slice| ImportError::check(slice).is_ok()));
        let grants = slices.concat();
        assert!(grants.iter().all(|grant| grant.refresh_token == Some(ImportedToken([1; 32]))));
        assert_eq!(grants[0].birth.idle_expires_at, Some(Timestamp::from_seconds(9)), "the refresh token comes first");
        assert_eq!(grants.iter().map(|grant| grant.access_tokens.len() as i64).sum::<i64>(), count);
        assert!(grants.len() < 12, "{}", grants.len());
    }

    #[test]
    fn an_access_token_joins_the_refresh_token_that_it_goes_with() {
        use StagedKind::{Access, Refresh};
        let mut filler = Batch::default();
        for staged in [
            token(Refresh, 1, 1, "alice", 10),
            token(Access, 2, 1, "alice", 5),
            token(Refresh, 3, 2, "alice", 30),
            token(Refresh, 4, 3, "alice", 20),
            token(Access, 5, 9, "alice", 5),
            token(Access, 6, 10, "bob", 5),
        ] {
            add(&mut filler, &staged);
        }
        let told = |slice: &[ImportedGrant]| -> Vec<(Option<u8>, Vec<u8>)> {
            let access = |grant: &ImportedGrant| grant.access_tokens.iter().map(|token| token.token.0[0]).collect();
            slice.iter().map(|grant| (grant.refresh_token.map(|token| token.0[0]), access(grant))).collect()
        };
        assert_eq!(
            told(&filler.take().concat()),
            [(Some(1), vec![2]), (Some(3), vec![5]), (Some(4), vec![]), (None, vec![6])],
            "the same row, else the one that ends last, else none"
        );
    }

    #[test]
    fn an_access_token_finds_a_refresh_token_that_went_with_an_earlier_batch() {
        use StagedKind::{Access, Refresh};
        let mut filler = Batch::default();
        add(&mut filler, &token(Refresh, 1, 1, "alice", 10));
        filler.take();
        add(&mut filler, &token(Access, 2, 9, "alice", 5));
        add(&mut filler, &token(Access, 3, 10, "bob", 5));
        let slice = filler.take().concat();
        assert_eq!(slice[0].refresh_token, Some(ImportedToken([1; 32])));
        assert_eq!(slice[1].refresh_token, None);
    }
}
