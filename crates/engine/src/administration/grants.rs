use regrant_grant::{AccessVerdict, Grant, GrantId, Write, end_by_operator};
use regrant_protocol::{ClientId, Subject, Timestamp};
use regrant_store::{
    ChangeError, ClientChange, GrantFilter, ListedGrant, Page, Scene, StoreError, Target, UserChange, decide_in,
};

use crate::keys::KeyState;
use crate::store_time::store_time;
use crate::{AuthorizationServer, Event, Happening, RevokedGrants, Revoker};

/// What became of a grant that an operator ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantEnd {
    /// It and its family have ended now.
    Ended,
    /// It was revoked before.
    EndedBefore,
    /// There is none of this name: there never was, or it was swept.
    Unknown,
}

impl AuthorizationServer {
    /// The grants that `filter` means, by id: the first `count_max` after the id `after`, and at most
    /// [`SLICE_ROWS_MAX`](regrant_store::SLICE_ROWS_MAX); perhaps fewer, or none, though others follow.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn grants(
        &self,
        filter: &GrantFilter,
        after: Option<GrantId>,
        count_max: u32,
    ) -> Result<Page<ListedGrant, GrantId>, StoreError> {
        let Page { items, next } = self.store.grants(filter, after, count_max).await?;
        Ok(Page { items: items.into_iter().map(|listed| self.judged_by_keys(listed)).collect(), next })
    }

    /// The grant of this name, and what has become of it.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn grant(&self, id: GrantId) -> Result<Option<ListedGrant>, StoreError> {
        let look = |scene: &Scene<'_>| {
            let listed = |grant: &Grant| {
                let state = grant.state(&scene.surroundings, scene.now);
                ListedGrant { grant: grant.clone(), state }
            };
            (scene.grant.map(listed), Write::Nothing)
        };
        let found = decide_in(&*self.store, Target::Grant(id), None, look).await?;
        Ok(found.map(|listed| self.judged_by_keys(listed)))
    }

    /// What has become of a grant, by what only the server knows: its tokens died with the master key that they were made under,
    /// but for the one that was imported with it.
    fn judged_by_keys(&self, listed: ListedGrant) -> ListedGrant {
        let lives_or_waits =
            matches!(listed.state, AccessVerdict::Active | AccessVerdict::UserDisabled | AccessVerdict::ClientDisabled);
        let is_dead = lives_or_waits
            && self.keys.state_of(listed.grant.kid) == KeyState::Retired
            && !listed.grant.has_imported_token();
        let state = if is_dead { AccessVerdict::DeadEpoch } else { listed.state };
        ListedGrant { state, ..listed }
    }

    /// Ends a grant and its family.
    ///
    /// # Errors
    /// When the store failed: then it may have ended or not.
    pub async fn end_grant_by_operator(&self, id: GrantId) -> Result<GrantEnd, StoreError> {
        let rule = |scene: &Scene<'_>| {
            let Some(row) = scene.grant else { return (GrantEnd::Unknown, Write::Nothing) };
            match end_by_operator(row, &scene.surroundings, scene.now) {
                Write::Nothing => (GrantEnd::EndedBefore, Write::Nothing),
                write @ (Write::Update(_) | Write::Insert(_) | Write::ListAccessToken { .. }) => {
                    (GrantEnd::Ended, write)
                }
            }
        };
        let end = decide_in(&*self.store, Target::Grant(id), None, rule).await?;
        if end == GrantEnd::Ended {
            self.tell_revoked(RevokedGrants::One(id));
        }
        Ok(end)
    }

    /// Ends every grant of a user, in one write.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`] when there is no such user.
    pub async fn end_grants_of_user(&self, user: &Subject) -> Result<(), ChangeError> {
        self.store.change_user(user, UserChange::RaiseCutoff).await?;
        self.tell_revoked(RevokedGrants::OfUser(user));
        Ok(())
    }

    /// Ends every grant and every other token of a client, in one write.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`] when there is no such client.
    pub async fn end_grants_of_client(&self, client: &ClientId) -> Result<(), ChangeError> {
        self.store.change_client(client, ClientChange::RaiseCutoff).await?;
        self.tell_revoked(RevokedGrants::OfClient(client));
        Ok(())
    }

    /// Ends the grants that `filter` means and that were made before `made_before`, or until now when that is to come, by the store's
    /// clock, which the grants were made by: slice by slice, with refreshes between. How many ended.
    ///
    /// # Errors
    /// When the store failed: then some have ended, and asking again ends the rest.
    pub async fn end_grants_made_before(
        &self,
        filter: &GrantFilter,
        made_before: Timestamp,
    ) -> Result<u64, StoreError> {
        // What is made from now on may stand before the place that the slices have come to.
        let made_before = made_before.min(store_time(&*self.store).await?.plus_milliseconds(1));
        let (mut count, mut after) = (0, None);
        loop {
            let slice = self.store.end_grants(filter, made_before, after).await?;
            for &grant in &slice.items {
                self.tell_revoked(RevokedGrants::One(grant));
            }
            count += slice.items.len() as u64;
            after = slice.next;
            if after.is_none() {
                return Ok(count);
            }
        }
    }

    fn tell_revoked(&self, grants: RevokedGrants<'_>) {
        let happening = Happening::Revoked { grants, by: Revoker::Operator };
        self.observe(&Event { at: self.clock.now(), request: None, source: None, happening });
    }
}

#[cfg(test)]
mod tests {
    use regrant_grant::{GrantSecret, Verdict};
    use regrant_protocol::{ManualClock, TokenResponse};

    use super::*;
    use crate::TokenError;
    use crate::world::World;

    async fn log_in(world: &World, number: u8) -> (GrantId, TokenResponse) {
        let (id, secret) = (GrantId([number; 16]), GrantSecret::new([number; 16]));
        let code = world.code_of(|birth| (birth.id, birth.secret) = (id, secret)).await;
        (id, world.redeem(&code, "").await.unwrap())
    }

    fn verdict(answer: Result<TokenResponse, TokenError>) -> Option<Verdict> {
        match answer {
            Ok(_) => None,
            Err(TokenError::Refresh { verdict, .. }) => Some(verdict),
            Err(other) => panic!("{other}"),
        }
    }

    #[tokio::test]
    async fn an_operator_ends_one_grant_and_hears_what_became_of_it() {
        let world = World::new().await;
        let ((one, of_one), (_, of_other)) = (log_in(&world, 1).await, log_in(&world, 2).await);
        let server = &world.server;
        let state = async |id| server.grant(id).await.unwrap().map(|listed| (listed.grant.id, listed.state));
        assert_eq!(state(one).await, Some((one, AccessVerdict::Active)));
        for (id, end) in [(one, GrantEnd::Ended), (one, GrantEnd::EndedBefore), (GrantId([9; 16]), GrantEnd::Unknown)] {
            assert_eq!(server.end_grant_by_operator(id).await, Ok(end));
        }
        assert_eq!(state(one).await, Some((one, AccessVerdict::Revoked)));
        assert_eq!(state(GrantId([9; 16])).await, None);
        assert_eq!(verdict(world.refresh(&of_one, "").await), Some(Verdict::Revoked));
        assert_eq!(verdict(world.refresh(&of_other, "").await), None);
    }

    #[tokio::test]
    async fn an_operator_ends_all_grants_of_a_user_or_a_client_at_once() {
        for is_by_user in [true, false] {
            let world = World::new().await;
            let (_, before) = log_in(&world, 1).await;
            let client = ClientId::parse("app").unwrap();
            let end = async || match is_by_user {
                true => world.server.end_grants_of_user(&world.alice).await,
                false => world.server.end_grants_of_client(&client).await,
            };
            assert_eq!(end().await, Ok(()));
            let (_, after) = log_in(&world, 2).await;
            assert_eq!(verdict(world.refresh(&before, "").await), Some(Verdict::Revoked), "{is_by_user}");
            assert_eq!(verdict(world.refresh(&after, "").await), None, "{is_by_user}");
        }
        let world = World::new().await;
        let unknown = |name: &str| Err(ChangeError::Unknown(name.to_owned()));
        let (user, client) = (Subject::parse("nobody").unwrap(), ClientId::parse("nothing").unwrap());
        assert_eq!(world.server.end_grants_of_user(&user).await, unknown("nobody"));
        assert_eq!(world.server.end_grants_of_client(&client).await, unknown("nothing"));
    }

    #[tokio::test]
    async fn an_operator_ends_what_was_made_before_a_time_and_nothing_that_is_to_come() {
        let world = World::new().await;
        let (_, early) = log_in(&world, 1).await;
        world.clock.advance_seconds(60);
        let time = world.now();
        let (_, late) = log_in(&world, 2).await;
        let end = async |time| world.server.end_grants_made_before(&GrantFilter::default(), time).await;
        assert_eq!(end(time).await, Ok(1));
        assert_eq!(verdict(world.refresh(&early, "").await), Some(Verdict::Revoked));
        let late = world.refresh(&late, "").await.unwrap();
        world.clock.advance_seconds(1);
        assert_eq!(end(time.plus_seconds(3600)).await, Ok(1));
        assert_eq!(verdict(world.refresh(&late, "").await), Some(Verdict::Revoked));
        let Grant { revoked_at, .. } = world.server.grant(GrantId([2; 16])).await.unwrap().unwrap().grant;
        assert_eq!(revoked_at, Some(world.now()));
    }

    #[tokio::test]
    async fn a_node_whose_clock_is_behind_the_store_ends_what_was_made_just_now() {
        let mut world = World::new().await;
        let (_, made) = log_in(&world, 1).await;
        world.server.clock = std::sync::Arc::new(ManualClock::new(world.now().plus_seconds(-60)));
        let never = Timestamp::from_milliseconds(i64::MAX);
        assert_eq!(world.server.end_grants_made_before(&GrantFilter::default(), never).await, Ok(1));
        assert_eq!(verdict(world.refresh(&made, "").await), Some(Verdict::Revoked));
    }
}
