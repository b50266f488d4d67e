use regrant_protocol::{ClientId, Kid, Timestamp};

use super::rule::Rule;
use super::settings::TICK_SECONDS;
use crate::{
    AuthorityTag, ClientKind, Decision, Grant, Party, Policy, RecoverPublic, Recovery, RefreshFacts, RevokeVerdict,
    Surroundings, Verdict, Write, decide, revoke,
};

/// A fault that is planted around the real rule, to see that the model finds it.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// Its name in reports.
    pub name: &'static str,
    inputs: fn(&mut Call<'_>),
    output: fn(&mut Decision, &Call<'_>),
    revocation: fn(Write) -> Write,
    answer_kid: fn(&Grant, &RefreshFacts) -> Kid,
    replays_journal: bool,
}

/// What the rule is given.
struct Call<'a> {
    row: Grant,
    facts: RefreshFacts,
    surroundings: Surroundings<'a>,
    now: Timestamp,
}

impl Fault {
    /// No fault at all: what the others differ from.
    const NONE: Self = Self {
        name: "",
        inputs: |_| {},
        output: |_, _| {},
        revocation: |write| write,
        answer_kid: |row, _| row.kid,
        replays_journal: true,
    };

    /// Every fault.
    pub const ALL: &'static [Self] = &[
        Self { name: "window_one_tick_longer", inputs: stop_the_clock_for_one_tick, ..Self::NONE },
        Self { name: "window_slides_on_retry", output: slide_window, ..Self::NONE },
        Self { name: "retry_writes_a_generation", inputs: take_previous_for_current, ..Self::NONE },
        Self { name: "window_survives_use_of_successor", inputs: take_second_previous_for_previous, ..Self::NONE },
        Self { name: "revoked_not_checked", inputs: |call| call.row.revoked_at = None, ..Self::NONE },
        Self { name: "revocation_not_written", revocation: |_| Write::Nothing, ..Self::NONE },
        Self { name: "cutoff_ignored", inputs: equal_cutoffs, ..Self::NONE },
        Self { name: "idle_end_ignored", inputs: |call| call.row.idle_expires_at = None, ..Self::NONE },
        Self { name: "absolute_end_ignored", inputs: |call| call.row.absolute_expires_at = None, ..Self::NONE },
        Self { name: "kid_of_successor_not_stored", output: keep_kid, answer_kid: newest_kid, ..Self::NONE },
        Self { name: "epoch_ignored", inputs: equal_epochs, ..Self::NONE },
        Self { name: "generation_not_raised", output: keep_generation, ..Self::NONE },
        Self { name: "client_checked_after_reuse", inputs: admit_stranger, output: refuse_stranger, ..Self::NONE },
        Self { name: "retry_from_any_client", inputs: admit_stranger_with_previous, ..Self::NONE },
        Self { name: "key_not_checked", inputs: |call| call.facts.proven_key = call.row.binding, ..Self::NONE },
        Self { name: "verifier_not_checked", inputs: supply_verifier, ..Self::NONE },
        Self { name: "challenge_not_kept", output: forget_challenge, ..Self::NONE },
        Self { name: "challenge_neither_kept_nor_flagged", output: forget_challenge_and_flag, ..Self::NONE },
        Self { name: "overtaken_first_try_punished", output: punish_unavailable, ..Self::NONE },
        Self { name: "first_try_needs_no_verifier", inputs: supply_verifier_to_first_try, ..Self::NONE },
        Self { name: "downgrade_taken_for_retry", inputs: overlook_downgrade, ..Self::NONE },
        Self { name: "reuse_changes_nothing", output: tolerate_reuse, ..Self::NONE },
        Self { name: "reuse_taken_for_late_retry", output: overlook_reuse, ..Self::NONE },
        Self { name: "superseded_token_without_key_ends_grant", output: punish_wrong_sender, ..Self::NONE },
        Self { name: "token_ahead_ends_grant", output: punish_token_ahead, ..Self::NONE },
        Self { name: "journal_not_replayed", replays_journal: false, ..Self::NONE },
        Self { name: "recovery_takes_equal_unproven", inputs: believe_sender_of_equal, ..Self::NONE },
        Self { name: "recovery_takes_ahead_unproven", inputs: accept_ahead, ..Self::NONE },
        Self { name: "recovery_takes_what_is_behind", inputs: lift_to_row, ..Self::NONE },
        Self { name: "recovery_takes_older_epoch", inputs: recover_any_epoch, ..Self::NONE },
        Self { name: "recovery_stays_in_former_epoch", output: stay_in_former_epoch, ..Self::NONE },
        Self { name: "recovery_counts_from_the_row", output: count_from_the_row, ..Self::NONE },
        Self { name: "recovery_ends_grant_for_reuse", output: punish_in_recovery, ..Self::NONE },
        Self { name: "recovery_forgets_retries", inputs: forget_retries_of_copy, ..Self::NONE },
        Self { name: "tag_not_checked", inputs: |call| call.facts.authority_tag = AuthorityTag::Valid, ..Self::NONE },
    ];

    /// D-01: who proves nothing when he presents the previous token is believed to be its sender.
    pub const SENDER_EQUALITY_OFF: Self =
        Self { name: "sender_equality_off", inputs: believe_sender_of_previous, ..Self::NONE };
}

impl Rule for Fault {
    fn decide(
        &self,
        row: &Grant,
        facts: &RefreshFacts,
        surroundings: &Surroundings<'_>,
        policy: &Policy,
        now: Timestamp,
    ) -> Decision {
        let given = Call { row: row.clone(), facts: facts.clone(), surroundings: *surroundings, now };
        let mut call = Call { row: row.clone(), facts: facts.clone(), ..given };
        (self.inputs)(&mut call);
        let mut decision = decide(&call.row, &call.facts, &call.surroundings, policy, call.now);
        (self.output)(&mut decision, &given);
        decision
    }

    fn revoke(
        &self,
        row: &Grant,
        client: &ClientId,
        authority_tag: AuthorityTag,
        surroundings: &Surroundings<'_>,
        now: Timestamp,
    ) -> (RevokeVerdict, Write) {
        let (verdict, write) = revoke(row, client, authority_tag, surroundings, now);
        (verdict, (self.revocation)(write))
    }

    fn replays_journal(&self) -> bool {
        self.replays_journal
    }

    fn answer_kid(&self, row: &Grant, facts: &RefreshFacts) -> Kid {
        (self.answer_kid)(row, facts)
    }
}

impl Call<'_> {
    fn presents_previous(&self) -> bool {
        self.facts.generation.is_right_before(self.row.generation)
    }

    /// How the token is of the epoch that a restore ended and its row is still of it; `None` when that is not so.
    fn recovery(&self) -> Option<&Recovery> {
        self.facts.recovery.as_ref().filter(|recovery| recovery.former == self.row.epoch)
    }

    fn is_by_stranger(&self) -> bool {
        self.facts.client != self.row.client
    }
}

fn stop_the_clock_for_one_tick(call: &mut Call<'_>) {
    if call.presents_previous() {
        call.now = call.now.plus_seconds(-i64::from(TICK_SECONDS));
    }
}

fn take_previous_for_current(call: &mut Call<'_>) {
    if call.presents_previous() {
        call.facts.generation = call.row.generation;
        call.facts.kid = call.row.kid;
    }
}

fn take_second_previous_for_previous(call: &mut Call<'_>) {
    if let Some(next) = call.facts.generation.next()
        && next.is_right_before(call.row.generation)
    {
        call.facts.generation = next;
    }
}

fn equal_cutoffs(call: &mut Call<'_>) {
    let with = |party: Option<Party>, cutoff| party.map(|party| Party { cutoff, ..party });
    call.surroundings.client = with(call.surroundings.client, call.row.client_cutoff);
    call.surroundings.user = with(call.surroundings.user, call.row.user_cutoff);
}

fn equal_epochs(call: &mut Call<'_>) {
    call.facts.epoch = call.row.epoch;
    call.surroundings.epoch = call.row.epoch;
}

fn admit_stranger(call: &mut Call<'_>) {
    if call.facts.generation < call.row.generation {
        call.facts.client = call.row.client.clone();
    }
}

fn admit_stranger_with_previous(call: &mut Call<'_>) {
    if call.presents_previous() {
        call.facts.client = call.row.client.clone();
    }
}

fn supply_verifier(call: &mut Call<'_>) {
    call.facts.retry_verifier = call.row.retry_challenge;
}

fn supply_verifier_to_first_try(call: &mut Call<'_>) {
    if call.facts.retry_challenge == call.row.retry_challenge {
        supply_verifier(call);
    }
}

fn overlook_downgrade(call: &mut Call<'_>) {
    if call.presents_previous() && call.row.retry_challenge.is_none() {
        call.facts.retry_challenge = None;
    }
}

fn believe_sender_of_previous(call: &mut Call<'_>) {
    if call.presents_previous() {
        call.facts.client = call.row.client.clone();
        call.facts.proven_key = call.row.binding;
        call.facts.retry_verifier = call.row.retry_challenge;
    }
}

fn believe_sender_of_equal(call: &mut Call<'_>) {
    if call.recovery().is_some() && call.facts.generation == call.row.generation {
        call.facts.client_kind = ClientKind::Confidential;
    }
}

fn accept_ahead(call: &mut Call<'_>) {
    if let Some(recovery) = &mut call.facts.recovery {
        recovery.public = RecoverPublic::AcceptAhead;
    }
}

fn lift_to_row(call: &mut Call<'_>) {
    if call.recovery().is_some() && call.facts.generation < call.row.generation {
        call.facts.generation = call.row.generation;
    }
}

fn recover_any_epoch(call: &mut Call<'_>) {
    if let Some(recovery) = &mut call.facts.recovery {
        recovery.former = call.facts.epoch.min(recovery.former);
    }
}

fn forget_retries_of_copy(call: &mut Call<'_>) {
    if call.recovery().is_some() && call.presents_previous() {
        call.facts.recovery = None;
    }
}

fn newest_kid(_: &Grant, facts: &RefreshFacts) -> Kid {
    facts.newest_kid
}

fn slide_window(decision: &mut Decision, given: &Call<'_>) {
    if decision.verdict == Verdict::Retried {
        decision.write = Write::Update(Grant { rotated_at: given.now, ..given.row.clone() });
    }
}

fn keep_kid(decision: &mut Decision, given: &Call<'_>) {
    if let Write::Update(after) = &mut decision.write {
        after.kid = given.row.kid;
    }
}

fn keep_generation(decision: &mut Decision, given: &Call<'_>) {
    if let Write::Update(after) = &mut decision.write {
        after.generation = given.row.generation;
    }
}

fn refuse_stranger(decision: &mut Decision, given: &Call<'_>) {
    if given.is_by_stranger() && decision.verdict != Verdict::ReuseDetected {
        *decision = Decision::unchanged(Verdict::WrongClient);
    }
}

fn forget_challenge(decision: &mut Decision, _: &Call<'_>) {
    if let Write::Update(after) = &mut decision.write {
        after.retry_challenge = None;
    }
}

fn forget_challenge_and_flag(decision: &mut Decision, _: &Call<'_>) {
    if let Write::Update(after) = &mut decision.write {
        after.retry_challenge = None;
        after.has_used_challenge = false;
    }
}

fn tolerate_reuse(decision: &mut Decision, _: &Call<'_>) {
    if decision.verdict == Verdict::ReuseDetected {
        decision.write = Write::Nothing;
    }
}

fn overlook_reuse(decision: &mut Decision, _: &Call<'_>) {
    if decision.verdict == Verdict::ReuseDetected {
        *decision = Decision::unchanged(Verdict::RetryTooLate);
    }
}

fn punish_wrong_sender(decision: &mut Decision, given: &Call<'_>) {
    if decision.verdict == Verdict::WrongSender && given.facts.generation < given.row.generation {
        *decision = revoked(given);
    }
}

fn punish_token_ahead(decision: &mut Decision, given: &Call<'_>) {
    if decision.verdict == Verdict::RolledBack {
        *decision = revoked(given);
    }
}

/// A rotation that a restore made possible.
fn recovered<'a>(decision: &'a mut Decision, given: &Call<'_>) -> Option<&'a mut Grant> {
    given.recovery()?;
    if let Write::Update(after) = &mut decision.write
        && decision.verdict == Verdict::Rotated
    {
        return Some(after);
    }
    None
}

fn stay_in_former_epoch(decision: &mut Decision, given: &Call<'_>) {
    if let Some(after) = recovered(decision, given) {
        after.epoch = given.row.epoch;
    }
}

fn count_from_the_row(decision: &mut Decision, given: &Call<'_>) {
    if let (Some(after), Some(next)) = (recovered(decision, given), given.row.generation.next()) {
        after.generation = next;
    }
}

fn punish_in_recovery(decision: &mut Decision, given: &Call<'_>) {
    let is_superseded = given.row.epoch == given.surroundings.epoch && given.facts.generation < given.row.generation;
    if given.facts.recovery.is_some() && is_superseded && !decision.verdict.is_success() {
        *decision = revoked(given);
    }
}

fn punish_unavailable(decision: &mut Decision, given: &Call<'_>) {
    if decision.verdict == Verdict::Unavailable {
        *decision = revoked(given);
    }
}

fn revoked(given: &Call<'_>) -> Decision {
    let after = Grant { revoked_at: Some(given.now), ..given.row.clone() };
    Decision { verdict: Verdict::ReuseDetected, write: Write::Update(after) }
}
