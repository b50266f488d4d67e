use regrant_grant::{Decision, Grant, OnReuse, RecoverPublic, RotationMode, ScopeNarrowing, Verdict, Write};

use crate::case::{CERTIFICATE, CHALLENGE, Case, DPOP_KEY, OTHER_CHALLENGE, ROTATED_AT, scope};

const HOUR_MILLISECONDS: i64 = 3_600_000;
const DAY_MILLISECONDS: i64 = 86_400_000;

fn bearer(_: &mut Case) {}

fn confidential(case: &mut Case) {
    case.authenticate();
}

fn dpop(case: &mut Case) {
    case.bind(DPOP_KEY);
}

fn certificate(case: &mut Case) {
    case.bind(CERTIFICATE);
}

fn verifier(case: &mut Case) {
    case.challenge();
    case.facts.retry_verifier = Some(CHALLENGE);
}

fn wrong_verifier(case: &mut Case) {
    case.challenge();
    case.facts.retry_verifier = Some(OTHER_CHALLENGE);
}

fn no_verifier(case: &mut Case) {
    case.challenge();
}

fn generation_without_challenge(case: &mut Case) {
    case.row.has_used_challenge = true;
}

/// The verdict on the superseded token, this long after its rotation.
fn superseded(sender: fn(&mut Case), set: impl Fn(&mut Case), milliseconds: i64) -> Verdict {
    let mut case = Case::honest();
    sender(&mut case);
    set(&mut case);
    case.present(-1);
    case.now = ROTATED_AT.plus_milliseconds(milliseconds);
    case.decide().verdict
}

#[test]
fn a_superseded_token_is_a_retry_for_as_long_as_its_sender_proves_itself() {
    for (who, sender, last_millisecond, then) in [
        ("confidential", confidential as fn(&mut Case), DAY_MILLISECONDS - 1, Verdict::RetryTooLate),
        ("DPoP", dpop, DAY_MILLISECONDS - 1, Verdict::RetryTooLate),
        ("certificate", certificate, DAY_MILLISECONDS - 1, Verdict::RetryTooLate),
        ("verifier", verifier, HOUR_MILLISECONDS - 1, Verdict::RetryTooLate),
        ("bearer", bearer, 59_999, Verdict::ReuseDetected),
    ] {
        for milliseconds in [-5_000, 0, 1, last_millisecond] {
            assert_eq!(superseded(sender, |_| {}, milliseconds), Verdict::Retried, "{who} after {milliseconds} ms");
        }
        for milliseconds in [last_millisecond + 1, 40 * HOUR_MILLISECONDS] {
            assert_eq!(superseded(sender, |_| {}, milliseconds), then, "{who} after {milliseconds} ms");
        }
    }
}

#[test]
fn who_lacks_the_verifier_reuses() {
    for (who, sender) in [
        ("wrong", wrong_verifier as fn(&mut Case)),
        ("missing", no_verifier),
        ("a generation without challenge, once the grant has used one", generation_without_challenge),
    ] {
        assert_eq!(superseded(sender, |_| {}, 0), Verdict::ReuseDetected, "{who}");
    }
}

#[test]
fn a_client_setting_shortens_the_window_and_never_lengthens_it() {
    for (who, sender, setting_seconds, milliseconds, verdict) in [
        ("confidential", confidential as fn(&mut Case), 30, 29_999, Verdict::Retried),
        ("confidential", confidential, 30, 30_000, Verdict::RetryTooLate),
        ("confidential", confidential, u32::MAX, DAY_MILLISECONDS, Verdict::RetryTooLate),
        ("confidential, off", confidential, 0, 0, Verdict::ReuseDetected),
        ("DPoP, off", dpop, 0, 0, Verdict::ReuseDetected),
        ("verifier", verifier, 86_400, HOUR_MILLISECONDS, Verdict::RetryTooLate),
        ("verifier, off", verifier, 0, 0, Verdict::ReuseDetected),
        ("bearer", bearer, 10, 9_999, Verdict::Retried),
        ("bearer", bearer, 10, 10_000, Verdict::ReuseDetected),
        ("bearer", bearer, 3_600, 60_000, Verdict::ReuseDetected),
    ] {
        let set = |case: &mut Case| case.policy.retry_window_seconds = Some(setting_seconds);
        assert_eq!(
            superseded(sender, set, milliseconds),
            verdict,
            "{who}, {setting_seconds} s, after {milliseconds} ms"
        );
    }
}

#[test]
fn reuse_ends_the_grant_unless_its_key_would_stop_the_thief() {
    for (who, sender, on_reuse, ends) in [
        ("confidential", confidential as fn(&mut Case), None, true),
        ("bearer", bearer, None, true),
        ("challenge", verifier, None, true),
        ("DPoP", dpop, None, false),
        ("certificate", certificate, None, false),
        ("confidential, by setting", confidential, Some(OnReuse::Alert), false),
        ("DPoP, by setting", dpop, Some(OnReuse::Revoke), true),
    ] {
        let mut case = Case::honest();
        sender(&mut case);
        case.policy.on_reuse = on_reuse;
        case.present(-2);
        let decision = case.decide();
        assert_eq!(decision.verdict, Verdict::ReuseDetected, "{who}");
        match decision.write {
            Write::Nothing => assert!(!ends, "{who}"),
            Write::Update(row) => assert!(ends && row.revoked_at == Some(case.now), "{who}"),
            write @ (Write::Insert(_) | Write::ListAccessToken { .. }) => panic!("{who}: {write:?}"),
        }
    }
}

#[test]
fn reuse_on_a_sibling_ends_the_family_at_its_root() {
    let mut case = Case::honest();
    case.fork_from_root(None);
    case.present(-2);
    let Write::Update(ended) = case.decide().write else { panic!("the root is written") };
    assert_eq!((Some(ended.id), ended.revoked_at), (case.row.root, Some(case.now)));
}

#[test]
fn each_mode_does_what_it_is_named_for() {
    for (mode, verdict, generation) in [
        (RotationMode::Rotate, Verdict::Rotated, 6),
        (RotationMode::Reuse, Verdict::Reissued, 5),
        (RotationMode::Consume, Verdict::Consumed, 6),
        (RotationMode::Fork, Verdict::Forked, 1),
    ] {
        let mut case = Case::honest();
        case.policy.rotation = mode;
        let decision = case.decide();
        assert_eq!(decision.verdict, verdict);
        let (Write::Update(row) | Write::Insert(row)) = &decision.write else { panic!("{mode:?} writes a row") };
        assert_eq!(row.generation.0, generation, "{mode:?}");
        assert_eq!(matches!(decision.write, Write::Insert(_)), mode == RotationMode::Fork, "only fork inserts");
    }
}

#[test]
fn a_narrower_scope_stays_with_the_grant_only_where_the_client_is_set_so() {
    for mode in [RotationMode::Rotate, RotationMode::Reuse, RotationMode::Consume, RotationMode::Fork] {
        for (narrowing, asked, kept) in [
            (ScopeNarrowing::AccessToken, None, "read write"),
            (ScopeNarrowing::AccessToken, Some("read"), "read write"),
            (ScopeNarrowing::Grant, None, "read write"),
            (ScopeNarrowing::Grant, Some("read"), "read"),
        ] {
            let mut case = Case::honest();
            (case.policy.rotation, case.policy.scope_narrowing) = (mode, narrowing);
            case.facts.scope = asked.map(scope);
            let (Write::Update(row) | Write::Insert(row)) = case.decide().write else {
                panic!("{mode:?} writes a row")
            };
            assert_eq!(row.scope, scope(kept), "{mode:?}, {narrowing:?}, {asked:?}");
        }
    }
}

#[test]
fn a_refresh_that_narrowed_its_grant_is_retried_with_the_same_scope_and_no_wider_one() {
    for (asked, verdict) in [
        (Some("read"), Verdict::Retried),
        (None, Verdict::Retried),
        (Some("read write"), Verdict::ScopeExceeded),
        (Some("write"), Verdict::ScopeExceeded),
    ] {
        let mut case = Case::honest();
        case.policy.scope_narrowing = ScopeNarrowing::Grant;
        case.facts.scope = Some(scope("read"));
        let Write::Update(narrowed) = case.decide().write else { panic!("the successor is written") };
        case.row = narrowed;
        case.facts.scope = asked.map(scope);
        assert_eq!(case.decide().verdict, verdict, "{asked:?}");
        case.present(0);
        (case.facts.kid, case.facts.epoch) = (case.row.kid, case.row.epoch);
        let then = if verdict == Verdict::Retried { Verdict::Rotated } else { verdict };
        assert_eq!(case.decide().verdict, then, "{asked:?}, with the successor");
    }
}

#[test]
fn a_consumed_token_is_refused_later_and_its_grant_lives_on() {
    let consume = |case: &mut Case| case.policy.rotation = RotationMode::Consume;
    for (who, sender, milliseconds, verdict) in [
        ("bearer", bearer as fn(&mut Case), 59_999, Verdict::Retried),
        ("bearer", bearer, 60_000, Verdict::RetryTooLate),
        ("confidential, while slot 0 lives", confidential, 599_999, Verdict::Retried),
        ("confidential, after slot 0", confidential, 600_000, Verdict::RetryTooLate),
        ("wrong verifier", wrong_verifier, 0, Verdict::RetryTooLate),
    ] {
        assert_eq!(superseded(sender, consume, milliseconds), verdict, "{who} after {milliseconds} ms");
    }
}

#[test]
fn after_a_restore_dead_strings_stay_dead_and_lost_ones_are_noticed() {
    for (why, row_epoch, presented_epoch, steps, verdict) in [
        ("current before the restore", 2, 2, 0, Verdict::DeadEpoch),
        ("superseded before the restore", 2, 2, -1, Verdict::DeadEpoch),
        ("its rotation was undone by the restore", 2, 2, 1, Verdict::DeadEpoch),
        ("same number, made again after the restore", 3, 2, 0, Verdict::DeadEpoch),
        ("superseded across the restore", 3, 2, -1, Verdict::Retried),
        ("long superseded across the restore", 3, 2, -2, Verdict::ReuseDetected),
        ("the restore was not noticed", 3, 3, 1, Verdict::RolledBack),
        ("a row from after the store", 4, 3, 0, Verdict::RolledBack),
    ] {
        let mut case = Case::honest();
        case.row.epoch.0 = row_epoch;
        case.facts.epoch.0 = presented_epoch;
        case.present(steps);
        assert_eq!(case.decide().verdict, verdict, "{why}");
    }
}

#[test]
fn while_a_store_recovers_only_who_proves_itself_moves_a_row_forward() {
    let bearer_ahead = |case: &mut Case| {
        bearer(case);
        case.recover(RecoverPublic::AcceptAhead);
    };
    for (why, sender, steps, verdict) in [
        ("confidential, ahead", confidential as fn(&mut Case), 7, Verdict::Rotated),
        ("confidential, current in the backup", confidential, 0, Verdict::Rotated),
        ("confidential, superseded in the backup, perhaps unheard", confidential, -1, Verdict::Retried),
        ("confidential, two behind", confidential, -2, Verdict::DeadEpoch),
        ("DPoP, ahead", dpop, 7, Verdict::Rotated),
        ("DPoP, current in the backup", dpop, 0, Verdict::Rotated),
        ("DPoP, superseded in the backup, perhaps unheard", dpop, -1, Verdict::Retried),
        ("bearer, ahead", bearer, 7, Verdict::DeadEpoch),
        ("bearer, current in the backup", bearer, 0, Verdict::DeadEpoch),
        ("bearer, superseded in the backup", bearer, -1, Verdict::DeadEpoch),
        ("retry verifier, ahead", verifier, 7, Verdict::DeadEpoch),
        ("retry verifier, current in the backup", verifier, 0, Verdict::DeadEpoch),
        ("retry verifier, superseded in the backup", verifier, -1, Verdict::DeadEpoch),
        ("bearer, ahead, and the operator takes it", bearer_ahead, 7, Verdict::Rotated),
        ("bearer, current in the backup, and the operator takes what is ahead", bearer_ahead, 0, Verdict::DeadEpoch),
    ] {
        let mut case = Case::honest();
        case.recover(RecoverPublic::LogInAgain);
        sender(&mut case);
        case.present(steps);
        let Decision { verdict: given, write } = case.decide();
        assert_eq!(given, verdict, "{why}");
        if let Write::Update(row) = write {
            assert_eq!((row.generation.0, row.epoch), (case.facts.generation.0 + 1, case.epoch), "{why}");
            case.row = row;
            assert_eq!(case.decide().verdict, Verdict::Retried, "{why}, and its answer was lost");
        }
    }
}

#[test]
fn while_a_store_recovers_nothing_is_ended_for_reuse() {
    for (why, recovers, presented_epoch, verdict, is_ended) in [
        ("no restore", false, 4, Verdict::ReuseDetected, true),
        ("it recovers, and the token is from after the restore", true, 4, Verdict::ReuseDetected, false),
        ("it recovers, and the token is from before it", true, 3, Verdict::DeadEpoch, false),
    ] {
        let mut case = Case::honest();
        case.authenticate();
        case.recover(RecoverPublic::LogInAgain);
        case.facts.recovery = case.facts.recovery.filter(|_| recovers);
        case.row.epoch = case.epoch;
        case.facts.epoch.0 = presented_epoch;
        case.present(-2);
        let Decision { verdict: given, write } = case.decide();
        assert_eq!((given, write != Write::Nothing), (verdict, is_ended), "{why}");
    }
}

#[test]
fn a_grant_that_ends_with_its_login_session_gives_nothing_after_it() {
    for (why, ends_after_seconds, verdict) in [
        ("logged in", Some(11), Verdict::Rotated),
        ("at the session's end", Some(10), Verdict::Revoked),
        ("logged out", Some(9), Verdict::Revoked),
        ("the session is gone", None, Verdict::Revoked),
    ] {
        let mut case = Case::honest();
        case.now = ROTATED_AT.plus_seconds(10);
        case.log_in_until(ends_after_seconds.map(|seconds| ROTATED_AT.plus_seconds(seconds)));
        assert_eq!(case.decide().verdict, verdict, "{why}");
        case.row.session = None;
        assert_eq!(case.decide().verdict, Verdict::Rotated, "{why}, and the grant outlives it");
    }
}

#[test]
fn the_code_is_kept_until_its_end_so_that_its_replay_is_known_and_dropped_by_the_next_use() {
    for (milliseconds, is_kept) in [(0, true), (59_999, true), (60_000, false), (HOUR_MILLISECONDS, false)] {
        for mode in [RotationMode::Rotate, RotationMode::Reuse, RotationMode::Consume] {
            let mut case = Case::honest();
            case.policy.rotation = mode;
            case.begin_with_code(ROTATED_AT.plus_seconds(60));
            case.now = ROTATED_AT.plus_milliseconds(milliseconds);
            let Write::Update(Grant { code, .. }) = case.decide().write else { panic!("{mode:?} updates the row") };
            assert_eq!(code, case.row.code.filter(|_| is_kept), "{mode:?} after {milliseconds} ms");
        }
    }
}

#[test]
fn challenges_are_kept_for_public_unbound_clients_only() {
    for (who, sender, kept) in
        [("bearer", bearer as fn(&mut Case), true), ("confidential", confidential, false), ("DPoP", dpop, false)]
    {
        let mut case = Case::honest();
        sender(&mut case);
        case.facts.retry_challenge = Some(CHALLENGE);
        let Write::Update(row) = case.decide().write else { panic!("{who}: the successor is written") };
        assert_eq!((row.retry_challenge.is_some(), row.has_used_challenge), (kept, kept), "{who}");
    }
}

#[test]
fn an_imported_token_is_the_generation_before_our_first() {
    for (why, sender, generation, milliseconds, verdict) in [
        ("never used", bearer as fn(&mut Case), 0, DAY_MILLISECONDS, Verdict::Rotated),
        ("used a moment ago", bearer, 1, 59_999, Verdict::Retried),
        ("used a minute ago", bearer, 1, 60_000, Verdict::ReuseDetected),
        ("used an hour ago by who proves itself", confidential, 1, HOUR_MILLISECONDS, Verdict::Retried),
        ("used a day ago by who proves itself", confidential, 1, DAY_MILLISECONDS, Verdict::RetryTooLate),
        ("its successor was used", confidential, 2, 0, Verdict::ReuseDetected),
        ("its successor was used long ago", bearer, 99, 0, Verdict::ReuseDetected),
    ] {
        let mut case = Case::honest();
        sender(&mut case);
        case.import(generation);
        case.now = ROTATED_AT.plus_milliseconds(milliseconds);
        assert_eq!(case.decide().verdict, verdict, "{why}");
    }
}

#[test]
fn an_imported_token_is_bound_to_no_master_key_and_dies_with_its_epoch() {
    for (mode, kid_after) in
        [(RotationMode::Rotate, 21), (RotationMode::Reuse, 21), (RotationMode::Consume, 21), (RotationMode::Fork, 21)]
    {
        let mut case = Case::honest();
        case.policy.rotation = mode;
        // What was in force when it was imported, and is retired since.
        case.row.kid.0 = 1;
        case.import(0);
        let (Write::Update(row) | Write::Insert(row)) = case.decide().write else { panic!("{mode:?} writes a row") };
        assert_eq!(row.kid.0, kid_after, "{mode:?}");
        let generation = if mode == RotationMode::Reuse { 0 } else { 1 };
        assert_eq!(row.generation.0, generation, "{mode:?}");

        case.epoch.0 += 1;
        assert_eq!(case.decide().verdict, Verdict::DeadEpoch, "{mode:?}, after a restore");
    }
}
