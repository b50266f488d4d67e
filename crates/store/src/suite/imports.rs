//! Tokens that another system issued.

use regrant_grant::{
    AccessTokenId, Generation, Grant, GrantId, GrantSecret, ImportedBirth, ImportedToken, Surroundings,
};
use regrant_protocol::{Clock, EpochNumber, Lifetime, Timestamp};

use super::Trial;
use super::specimen::{client_id, scope, subject, user};
use crate::{
    ClientChange, FoundToken, ImportError, Imported, ImportedAccessToken, ImportedGrant, SLICE_ROWS_MAX, Sweep,
    SweepPosition, Target, UserChange,
};

const DAY_SECONDS: u32 = 24 * 60 * 60;

/// A grant of another system becomes a row of generation 0, with the cutoffs and the epoch that the store holds.
pub async fn an_imported_grant_is_found_by_each_of_its_tokens(trial: Trial) {
    let trial = trial.with_parties().await;
    assert_eq!(trial.store.imports_are_live().await, Ok(false));
    let (grant, access) = (imported(1, Some(10)), access_token(20, "read"));
    let grant = ImportedGrant { access_tokens: vec![access.clone(), access_token(21, "")], ..grant };
    let done = Imported { refresh_tokens: 1, access_tokens: 2, ..Imported::default() };
    assert_eq!(trial.store.import(vec![grant.clone()]).await, Ok(done));
    assert_eq!(trial.store.imports_are_live().await, Ok(true));

    let trial = trial.reopen().await;
    let id = grant.birth.id;
    for (digest, expected) in [
        (10, Some(FoundToken::Refresh(id))),
        (20, Some(FoundToken::Access(id, Box::new(access)))),
        (21, Some(FoundToken::Access(id, Box::new(access_token(21, ""))))),
        (9, None),
    ] {
        assert_eq!(trial.store.imported_token(&token(digest)).await, Ok(expected), "{digest}");
    }

    let parties = trial.read(Target::Grant(id), |scene| (scene.surroundings.client, scene.surroundings.user)).await;
    let (client, user) = parties.expect("the store reads");
    let around = Surroundings { epoch: EpochNumber(1), client, user, root: None, session_ends_at: None };
    let expected = Grant::imported(grant.birth, &around, trial.clock.now());
    assert_eq!((expected.generation, expected.client_cutoff, expected.user_cutoff), (Generation(0), 3, 5));
    assert_eq!(trial.grant(id).await, Some(expected));
}

/// An import that was broken off is begun again, and what it finds is as it has become meanwhile.
pub async fn what_was_imported_before_stays_as_it_is(trial: Trial) {
    let trial = trial.with_parties().await;
    let first = ImportedGrant { access_tokens: vec![access_token(20, "read")], ..imported(1, Some(10)) };
    let alone = ImportedGrant { access_tokens: vec![access_token(30, "read")], ..imported(2, None) };
    let done = trial.store.import(vec![first.clone(), alone.clone()]).await;
    assert_eq!(done, Ok(Imported { refresh_tokens: 1, access_tokens: 2, ..Imported::default() }));
    let used = trial.grant(GrantId([1; 16])).await.expect("it was imported");
    let used = Grant { version: used.version + 1, generation: Generation(1), ..used };
    trial.update(&used).await.expect("the version follows");

    // The reader makes new names for the same tokens; one of each grant is new.
    let again = |id, grant: &ImportedGrant, digest| {
        let access_tokens = vec![grant.access_tokens[0].clone(), access_token(digest, "read")];
        ImportedGrant { birth: imported(id, None).birth, access_tokens, ..grant.clone() }
    };
    let done = trial.store.import(vec![again(5, &first, 21), again(6, &alone, 31)]).await;
    assert_eq!(done, Ok(Imported { access_tokens: 2, known: 3, ..Imported::default() }));
    for (digest, grant) in [(10, 1), (20, 1), (21, 1), (30, 2), (31, 6)] {
        assert_eq!(grant_of(&trial, digest).await, Some(GrantId([grant; 16])), "{digest}");
    }
    let done = trial.store.import(vec![again(7, &first, 21), again(8, &alone, 31)]).await;
    assert_eq!(done, Ok(Imported { known: 5, ..Imported::default() }));
    assert_eq!(grant_of(&trial, 10).await, Some(used.id));
    assert_eq!(trial.grant(used.id).await, Some(used));
    for never_made in [5, 7, 8] {
        assert_eq!(trial.grant(GrantId([never_made; 16])).await, None, "{never_made}");
    }
}

/// Other systems keep the tokens of clients and users that they have removed.
pub async fn a_grant_without_client_or_user_is_left_out(trial: Trial) {
    let trial = trial.with_parties().await;
    trial.store.add_user(user("bob")).await.expect("the name is free");
    trial.store.change_user(&subject("bob"), UserChange::Remove).await.expect("bob is known");
    let mut grants: Vec<_> = (1..=4).map(|id| imported(id, Some(id))).collect();
    grants[0].access_tokens = vec![access_token(20, "read"), access_token(21, "read")];
    grants[0].birth.client = client_id("gone");
    grants[1].birth.subject = subject("nobody");
    grants[2].birth.subject = subject("bob");
    let done = trial.store.import(grants.clone()).await;
    let left_out = Imported { ownerless_refresh_tokens: 3, ownerless_access_tokens: 2, ..Imported::default() };
    assert_eq!(done, Ok(Imported { refresh_tokens: 1, ..left_out }));
    for id in 1..=4 {
        let is_kept = id == 4;
        assert_eq!(trial.grant(GrantId([id; 16])).await.is_some(), is_kept, "{id}");
        assert_eq!(grant_of(&trial, id).await.is_some(), is_kept, "{id}");
    }
    trial.store.change_client(&client_id("app"), ClientChange::Remove).await.expect("it is known");
    let done = trial.store.import(vec![imported(5, Some(5))]).await;
    assert_eq!(done, Ok(Imported { ownerless_refresh_tokens: 1, ..Imported::default() }));
}

/// All of a call is imported or nothing, and no more than refreshes can wait for.
pub async fn an_import_is_done_as_one_or_not_at_all(trial: Trial) {
    let trial = trial.with_parties().await;
    let most = SLICE_ROWS_MAX as usize;
    let of_rows = |rows: usize| {
        let access_tokens = (0..rows - 2).map(|number| numbered(number, "read")).collect();
        vec![ImportedGrant { access_tokens, ..imported(1, Some(10)) }]
    };
    assert_eq!(trial.store.import(of_rows(most + 1)).await, Err(ImportError::TooManyRows { rows: most + 1 }));
    let twice_of_one_name = vec![imported(2, Some(11)), imported(2, Some(12))];
    assert!(trial.store.import(twice_of_one_name).await.is_err(), "a name is given once");
    assert_eq!(trial.store.imports_are_live().await, Ok(false));
    assert_eq!(trial.grant(GrantId([2; 16])).await, None);
    let done = trial.store.import(of_rows(most)).await.expect("they are as many as may be");
    assert_eq!((done.refresh_tokens, done.access_tokens), (1, most as u64 - 2));
    assert_eq!(trial.store.import(Vec::new()).await, Ok(Imported::default()));
}

/// An import ends nothing, however many grants a user has by it.
pub async fn an_import_meets_no_cap(trial: Trial) {
    let trial = trial.with_parties().await;
    let grants: Vec<_> = (0..=u8::MAX).map(|id| imported(id, Some(id))).collect();
    for slice in grants.chunks(100) {
        trial.store.import(slice.to_vec()).await.expect("the names are free");
    }
    assert_eq!(trial.store.grants_of(&subject("alice")).await.map(|grants| grants.len()), Ok(256));
}

/// Revoked alone, an imported access token is on the list by a name of its own.
pub async fn an_imported_access_token_is_listed_as_any_other(trial: Trial) {
    let trial = trial.with_parties().await;
    let access_tokens = vec![access_token(20, "read"), access_token(21, "read")];
    trial.store.import(vec![ImportedGrant { access_tokens, ..imported(1, None) }]).await.expect("the name is free");
    let named = |digest| AccessTokenId::of_imported(GrantId([1; 16]), &token(digest));
    let write = regrant_grant::Write::ListAccessToken { id: named(20), until: None };
    trial.write(Target::AccessToken(named(20)), write).await.expect("the store writes");
    for (digest, is_listed) in [(20, true), (21, false)] {
        let seen = trial.read(Target::AccessToken(named(digest)), |scene| scene.access_token_is_listed).await;
        assert_eq!(seen, Ok(is_listed), "{digest}");
    }
}

/// Digests are kept for as long as they tell something.
pub async fn what_was_imported_goes_with_its_grant_and_access_tokens_a_day_after_their_end(trial: Trial) {
    let trial = trial.with_parties().await;
    let now = trial.clock.now();
    let ending = |digest, seconds: i64| ImportedAccessToken {
        expires_at: now.plus_seconds(seconds),
        ..access_token(digest, "read")
    };
    let endless = ImportedGrant { access_tokens: vec![ending(20, 600), ending(21, 60)], ..imported(1, Some(10)) };
    let mut short = ImportedGrant { access_tokens: vec![ending(22, 6_000)], ..imported(2, Some(11)) };
    short.birth.idle_expires_at = Some(now.plus_seconds(60));
    short.birth.ends_elsewhere_at = Some(now.plus_seconds(60));
    short.birth.access_lifetime = Lifetime::from_seconds(60);
    trial.store.import(vec![endless, short]).await.expect("the names are free");
    let kept = async || {
        let mut kept = Vec::new();
        for digest in 10..=22 {
            kept.extend(grant_of(&trial, digest).await.map(|_| digest));
        }
        kept
    };
    for (seconds, expected) in [
        (0, &[10, 11, 20, 21, 22][..]),
        (DAY_SECONDS, &[10, 11, 20, 21, 22]),
        // The grant of 11 goes, and with it 22, which gave nothing without it; 11 has ended in the other system too.
        (200, &[10, 20]),
        (500, &[10]),
        (400 * DAY_SECONDS, &[10]),
    ] {
        trial.clock.advance_seconds(seconds);
        sweep(&trial).await;
        assert_eq!(kept().await, expected, "{seconds} s later");
    }
    assert_eq!(trial.store.imports_are_live().await, Ok(true));
    let row = trial.grant(GrantId([1; 16])).await.expect("it has no end");
    let revoked_at = Some(trial.clock.now());
    trial.update(&Grant { version: row.version + 1, revoked_at, ..row }).await.expect("the version follows");
    trial.clock.advance_seconds(402 * DAY_SECONDS);
    sweep(&trial).await;
    assert_eq!(trial.store.imports_are_live().await, Ok(false));
}

/// A token that was used here does not come back when it is taken over again, for as long as the other system knows it.
pub async fn an_imported_refresh_token_is_remembered_when_its_grant_is_gone(trial: Trial) {
    let trial = trial.with_parties().await;
    let now = trial.clock.now();
    let days = |days: u32| now.plus_seconds(i64::from(days * DAY_SECONDS));
    let mut ending = imported(1, Some(10));
    ending.birth.ends_elsewhere_at = Some(days(10));
    let endless = ImportedGrant { access_tokens: vec![access_token(20, "read")], ..imported(2, Some(11)) };
    trial.store.import(vec![ending.clone(), endless.clone()]).await.expect("the names are free");
    for id in [1, 2] {
        let row = trial.grant(GrantId([id; 16])).await.expect("it was imported");
        let used = Grant {
            version: row.version + 1,
            generation: Generation(1),
            idle_expires_at: Some(days(1)),
            access_lifetime: Lifetime::from_seconds(60),
            ..row
        };
        trial.update(&used).await.expect("the version follows");
    }
    for (passed, is_first_known, is_second_known) in
        [(3, true, true), (7, true, true), (2, false, true), (388, false, true), (2, false, false)]
    {
        trial.clock.advance_seconds(passed * DAY_SECONDS);
        sweep(&trial).await;
        assert!(trial.grant(GrantId([1; 16])).await.is_none() && trial.grant(GrantId([2; 16])).await.is_none());
        let known = [grant_of(&trial, 10).await.is_some(), grant_of(&trial, 11).await.is_some()];
        assert_eq!(known, [is_first_known, is_second_known], "{passed} days later");
        if is_first_known {
            let again = trial.store.import(vec![ending.clone(), endless.clone()]).await.expect("it may be repeated");
            assert_eq!((again.known, again.refresh_tokens, again.access_tokens), (3, 0, 0), "{passed} days later");
        }
    }
}

async fn grant_of(trial: &Trial, digest: u8) -> Option<GrantId> {
    match trial.store.imported_token(&token(digest)).await.expect("the store reads")? {
        FoundToken::Refresh(grant) | FoundToken::Access(grant, _) => Some(grant),
    }
}

async fn sweep(trial: &Trial) {
    let mut position = Some(SweepPosition::default());
    while let Some(from) = position {
        let sweep = Sweep { from, rows_max: 1, clock_at_most: trial.clock.now() };
        position = trial.store.sweep(sweep).await.expect("the clock is right").next;
    }
}

fn token(digest: u8) -> ImportedToken {
    ImportedToken([digest; 32])
}

/// A grant of alice to `app` that never ends.
fn imported(id: u8, refresh_token: Option<u8>) -> ImportedGrant {
    let birth = ImportedBirth {
        id: GrantId([id; 16]),
        secret: GrantSecret::new([0x5E; 16]),
        client: client_id("app"),
        subject: subject("alice"),
        scope: scope("read write"),
        created_at: Timestamp::from_milliseconds(1_780_000_000_001),
        authenticated_at: Timestamp::from_milliseconds(1_780_000_000_000),
        idle_expires_at: None,
        absolute_expires_at: None,
        ends_elsewhere_at: None,
        access_lifetime: Lifetime::from_seconds(3_600),
    };
    ImportedGrant { birth, refresh_token: refresh_token.map(token), access_tokens: Vec::new() }
}

fn access_token(digest: u8, text: &str) -> ImportedAccessToken {
    ImportedAccessToken {
        token: token(digest),
        scope: scope(text),
        issued_at: Timestamp::from_milliseconds(1_780_000_000_002),
        expires_at: Timestamp::from_milliseconds(1_790_000_000_003),
    }
}

fn numbered(number: usize, text: &str) -> ImportedAccessToken {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&number.to_be_bytes());
    ImportedAccessToken { token: ImportedToken(digest), ..access_token(0, text) }
}
