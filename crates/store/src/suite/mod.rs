//! The tests that every store must pass.
//!
//! A store says in a [`Place`] how it is made and found again, and [`store_suite!`](crate::store_suite) runs every test in
//! a fresh place:
//!
//! ```ignore
//! regrant_store::store_suite!(sqlite, Directory::fresh());
//! ```
//!
//! Each function is named for the sentence that it checks, and panics when the store does not keep it.

mod administration;
mod caps;
mod clients;
mod consents;
mod durability;
mod grants;
mod imports;
mod keys;
mod listed_access_tokens;
mod listed_grants;
mod names;
mod sessions;
mod specimen;
mod steps;
mod sweep;
mod trial;
mod users;

pub use administration::*;
pub use caps::*;
pub use clients::*;
pub use consents::*;
pub use durability::*;
pub use grants::*;
pub use imports::*;
pub use keys::*;
pub use listed_access_tokens::*;
pub use listed_grants::*;
pub use names::*;
pub use sessions::*;
pub use steps::*;
pub use sweep::*;
pub use trial::{Place, Trial};
pub use users::*;

/// Makes a module of this name with every test of the suite, each in a place of its own.
#[macro_export]
macro_rules! store_suite {
    ($name:ident, $place:expr) => {
        $crate::store_suite! {
            @tests $name, $place;
            grants_are_listed_by_user_and_client,
            a_page_of_grants_ends_after_so_many_rows,
            grants_made_before_a_time_end,
            ending_goes_on_where_it_was,
            users_are_listed_by_login_name,
            one_grant_more_than_may_live_ends_the_one_that_was_idle_longest,
            one_code_more_than_may_be_open_ends_the_oldest,
            what_has_ended_hides_nothing_that_counts,
            what_lives_hides_no_open_code,
            what_others_have_counts_for_nobody_else,
            a_step_that_fails_makes_no_room,
            a_changed_client_is_read_with_its_new_settings,
            a_client_is_found_by_name_and_by_handle,
            a_client_is_read_as_it_was_written,
            a_removed_client_is_gone_and_the_rest_are_listed_by_name,
            settings_made_of_another_version_change_nothing,
            the_very_next_step_sees_a_change_of_the_client,
            a_consent_is_read_as_it_was_last_written,
            a_consent_of_an_unknown_user_or_client_is_refused,
            a_user_forgets_one_consent_or_all,
            consents_go_with_their_user_and_their_client,
            a_store_keeps_its_first_identity,
            everything_survives_closing_and_opening_again,
            a_grant_cannot_be_inserted_twice,
            a_grant_is_read_as_it_was_written,
            a_grant_of_an_unknown_client_or_user_is_refused,
            a_sibling_is_read_with_the_root_of_its_family,
            a_sibling_without_its_root_is_refused,
            an_update_cannot_give_a_grant_to_another_client_user_session_or_family,
            an_update_replaces_everything_else,
            an_update_that_does_not_follow_the_present_version_writes_nothing,
            a_grant_without_client_or_user_is_left_out,
            an_import_is_done_as_one_or_not_at_all,
            an_import_meets_no_cap,
            an_imported_access_token_is_listed_as_any_other,
            an_imported_grant_is_found_by_each_of_its_tokens,
            what_was_imported_before_stays_as_it_is,
            what_was_imported_goes_with_its_grant_and_access_tokens_a_day_after_their_end,
            an_imported_refresh_token_is_remembered_when_its_grant_is_gone,
            an_announced_key_stays_as_it_is,
            a_retired_key_never_comes_back,
            all_keys_are_replaced_at_once_or_none_is,
            a_withdrawn_signing_key_stays_withdrawn,
            a_signing_key_is_sealed_anew,
            signing_keys_are_listed_by_age_and_stay_as_they_are,
            nothing_is_sealed_under_a_master_key_that_was_retired,
            the_first_signing_key_of_an_algorithm_is_added_once,
            a_listed_access_token_is_seen_by_its_own_steps_only,
            listing_an_access_token_twice_is_no_error,
            a_family_is_listed_while_one_of_it_lives,
            a_grant_is_listed_until_its_client_or_user_is_gone_for_good,
            only_so_many_grants_are_listed,
            the_grants_of_a_user_that_live_are_listed_newest_first,
            a_login_name_is_free_again_when_its_user_is_removed,
            a_name_is_never_given_again,
            a_session_is_ended_once,
            a_session_is_read_as_it_was_written,
            a_session_is_replaced_by_its_own_user_and_until_it_ends,
            a_session_of_an_unknown_or_removed_user_is_refused,
            a_step_sees_no_session_of_another_user,
            one_session_more_than_may_live_ends_the_oldest,
            all_sessions_of_a_user_end_but_one,
            the_very_next_step_sees_the_end_of_the_session,
            a_caller_that_goes_away_changes_nothing_for_the_others,
            a_rule_that_panics_fails_alone,
            a_step_about_a_client_alone_reads_no_grant,
            a_step_about_a_new_grant_reads_the_one_that_there_is,
            a_step_about_nothing_that_exists_is_decided_too,
            a_step_has_the_time_and_the_epoch_of_the_store,
            a_step_that_is_not_begun_in_time_is_refused_and_not_decided,
            steps_on_one_grant_behave_as_if_they_came_one_after_another,
            a_grant_goes_a_day_after_nothing_can_come_of_it,
            a_root_stays_until_its_last_sibling_went,
            the_siblings_of_a_revoked_root_go_with_it,
            what_ended_for_good_is_written_down_and_goes_like_what_was_revoked,
            sessions_and_listed_access_tokens_go_a_day_after_their_end,
            a_sweep_is_as_many_slices_as_it_takes,
            a_sweep_under_a_clock_that_is_ahead_removes_nothing,
            a_sweep_beside_refreshes_disturbs_nobody,
            the_last_sweep_is_remembered,
            a_user_is_found_by_subject_and_by_login_name,
            a_rehashed_password_replaces_only_what_it_was_made_of,
            a_user_is_read_as_it_was_written,
            what_was_made_of_another_version_of_a_user_changes_nothing,
            the_very_next_step_sees_a_change_of_the_user,
        }
    };
    (@tests $name:ident, $place:expr; $($test:ident,)*) => {
        mod $name {
            use super::*;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    $crate::suite::$test($crate::suite::Trial::begin($place).await).await;
                }
            )*
        }
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_macro_names_every_test_of_the_suite() {
        let list = include_str!("mod.rs");
        for file in [
            include_str!("administration.rs"),
            include_str!("caps.rs"),
            include_str!("clients.rs"),
            include_str!("consents.rs"),
            include_str!("durability.rs"),
            include_str!("grants.rs"),
            include_str!("imports.rs"),
            include_str!("keys.rs"),
            include_str!("listed_access_tokens.rs"),
            include_str!("listed_grants.rs"),
            include_str!("names.rs"),
            include_str!("sessions.rs"),
            include_str!("steps.rs"),
            include_str!("sweep.rs"),
            include_str!("users.rs"),
        ] {
            for rest in file.split("\npub async fn ").skip(1) {
                let name = rest.split('(').next().unwrap();
                assert!(list.contains(&format!(" {name},\n")), "{name} is in no list");
            }
        }
    }
}
