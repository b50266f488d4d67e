use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use regrant_grant::{AuthorityTag, Binding, ClientKind, Decision, Grant, ScopeNarrowing, Verdict, Write};

use crate::any_case::any_case;
use crate::case::{Case, ROTATED_AT};

fn configured() -> Config {
    Config { cases: 5_000, failure_persistence: None, rng_seed: RngSeed::Fixed(20_260), ..Config::default() }
}

proptest! {
    #![proptest_config(configured())]

    #[test]
    fn a_generation_moves_by_one_or_stays(case in any_case()) {
        if let Write::Update(written) = case.decide().write {
            let before = written_over(&case, &written).generation.0;
            prop_assert!([before, before + 1].contains(&written.generation.0));
        }
    }

    #[test]
    fn a_written_row_has_the_next_version_and_a_new_row_the_first(case in any_case()) {
        match case.decide().write {
            Write::Nothing => {}
            Write::Update(written) => prop_assert_eq!(written.version, written_over(&case, &written).version + 1),
            Write::Insert(made) => {
                prop_assert_eq!(made.version, 1);
                prop_assert_eq!(made.id, case.facts.sibling.0);
                prop_assert_eq!(made.root, case.row.root.or(Some(case.row.id)));
            }
            write @ Write::ListAccessToken { .. } => prop_assert!(false, "{:?}", write),
        }
    }

    #[test]
    fn what_gives_no_tokens_writes_nothing_but_the_end_of_a_reused_grant(case in any_case()) {
        let Decision { verdict, write } = case.decide();
        if let (Verdict::ReuseDetected, Write::Update(ended)) = (verdict, &write) {
            let before = written_over(&case, ended);
            let still_alive = Grant { version: before.version, revoked_at: None, ..ended.clone() };
            prop_assert_eq!(&still_alive, before, "only its end is written");
            prop_assert_eq!(ended.revoked_at, Some(case.now.max(case.row.rotated_at)));
        } else {
            let uses_a_token = verdict.is_success() && verdict != Verdict::Retried;
            prop_assert_eq!(write != Write::Nothing, uses_a_token, "{}", verdict);
            prop_assert_eq!(matches!(write, Write::Insert(_)), verdict == Verdict::Forked);
        }
    }

    #[test]
    fn a_current_token_is_never_reuse(mut case in any_case()) {
        case.present(0);
        (case.facts.kid, case.facts.epoch) = (case.row.kid, case.row.epoch);
        prop_assert_ne!(case.decide().verdict, Verdict::ReuseDetected);
    }

    #[test]
    fn who_somebody_is_never_changes_and_what_was_granted_only_as_the_client_is_set(case in any_case()) {
        let (Write::Update(written) | Write::Insert(written)) = case.decide().write else { return Ok(()) };
        let before = written_over(&case, &written);
        prop_assert_eq!(&written.client, &before.client);
        prop_assert_eq!(&written.subject, &before.subject);
        if written.scope != before.scope {
            prop_assert_eq!(case.policy.scope_narrowing, ScopeNarrowing::Grant);
            prop_assert!(written.scope.is_within(&before.scope), "a grant never becomes wider");
            prop_assert_eq!(Some(&written.scope), case.facts.scope.as_ref());
        }
        prop_assert_eq!(&written.resources, &before.resources);
        prop_assert_eq!(written.binding, before.binding);
        prop_assert_eq!(written.session, before.session);
        prop_assert_eq!(&written.approved_from, &before.approved_from);
        prop_assert_eq!(written.authenticated_at, before.authenticated_at);
        prop_assert_eq!((written.client_cutoff, written.user_cutoff), (before.client_cutoff, before.user_cutoff));
        if written.id == before.id {
            prop_assert_eq!(&written.secret, &before.secret);
            prop_assert_eq!(written.root, before.root);
            prop_assert_eq!(written.created_at, before.created_at);
            prop_assert!(written.code.is_none() || written.code == before.code);
            prop_assert_eq!(written.absolute_expires_at, before.absolute_expires_at);
        }
    }

    #[test]
    fn a_sender_without_proof_is_not_believed_after_60_seconds(mut case in any_case(), late in 60_000..100_000_000_i64) {
        case.facts.client_kind = ClientKind::Public;
        case.row.binding = Binding::None;
        case.facts.retry_verifier = None;
        case.now = case.row.rotated_at.plus_milliseconds(late);
        prop_assert_ne!(case.decide().verdict, Verdict::Retried);
    }

    #[test]
    fn nothing_but_a_token_of_this_client_made_here_and_sent_by_its_sender_changes_anything(case in any_case()) {
        let is_bound_elsewhere = case.row.binding != Binding::None && case.row.binding != case.facts.proven_key;
        if case.facts.client != case.row.client || case.facts.authority_tag != AuthorityTag::Valid || is_bound_elsewhere {
            prop_assert_eq!(case.decide().write, Write::Nothing);
        }
    }

    #[test]
    fn a_revoked_family_gives_no_tokens(mut case in any_case(), at_root in any::<bool>()) {
        if at_root {
            case.fork_from_root(Some(ROTATED_AT));
        } else {
            case.row.revoked_at = Some(ROTATED_AT);
        }
        prop_assert!(!case.decide().verdict.is_success());
    }

    #[test]
    fn what_was_issued_is_accepted_afterwards_and_answers_its_retry(mut case in any_case()) {
        let Decision { verdict: Verdict::Rotated, write: Write::Update(successor) } = case.decide() else { return Ok(()) };
        let (presented, asked) = (case.row.clone(), case.now.max(case.row.rotated_at));
        case.row = successor;
        prop_assume!(case.row.generation.next().is_some());
        case.now = asked;

        let retries_are_on = case.policy.retry_window_seconds != Some(0);
        let has_downgraded = case.row.has_used_challenge && case.row.retry_challenge.is_none();
        let is_public_bearer = case.facts.client_kind == ClientKind::Public && case.row.binding == Binding::None;
        if retries_are_on && !(is_public_bearer && has_downgraded) {
            case.facts.retry_verifier = case.row.retry_challenge;
            prop_assert_eq!(case.decide(), Decision::unchanged(Verdict::Retried));
        }

        (case.facts.generation, case.facts.kid, case.facts.epoch) = (case.row.generation, case.row.kid, case.row.epoch);
        prop_assert_eq!(case.decide().verdict, Verdict::Rotated);
        prop_assert!(presented.generation < case.row.generation);
    }
}

/// The row that `written` replaces, or from which it was forked.
fn written_over<'a>(case: &'a Case, written: &Grant) -> &'a Grant {
    match &case.root {
        Some(root) if root.id == written.id => root,
        _ => &case.row,
    }
}
