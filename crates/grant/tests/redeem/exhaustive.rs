use std::collections::BTreeMap;
use std::thread;

use regrant_grant::{AuthorityTag, Generation, Party, RedeemVerdict};
use regrant_protocol::{ClientId, CodeChallenge, EpochNumber, Kid, Lifetime};

use crate::case::{APPROVED_AT, CHALLENGE, Case, OTHER_CHALLENGE, OTHER_REDIRECT_URI, REDIRECT_URI};
use crate::rule_table::{RULES, expected};

const TAGS: [AuthorityTag; 4] =
    [AuthorityTag::Valid, AuthorityTag::Invalid, AuthorityTag::Unverifiable, AuthorityTag::Forgotten];
const CHALLENGES: [Option<CodeChallenge>; 3] = [None, Some(CHALLENGE), Some(OTHER_CHALLENGE)];
const REDIRECT_URIS: [Option<[u8; 16]>; 3] = [None, Some(REDIRECT_URI), Some(OTHER_REDIRECT_URI)];

/// The verdicts that are given before there is a row to decide about, or instead of deciding.
const NOT_OF_THE_RULE: [RedeemVerdict; 3] =
    [RedeemVerdict::Malformed, RedeemVerdict::UnknownGrant, RedeemVerdict::Unavailable];

#[test]
fn the_rule_and_its_table_agree_in_every_case() {
    let products = [proofs, lives_of_the_store, retries, permissions, every_reason_with_every_other];
    let seen = thread::scope(|scope| {
        let running = products.map(|product| scope.spawn(move || compare(product)));
        running.map(|product| product.join().expect("the product agrees")).into_iter().flatten()
    });

    let mut cases_of_row: BTreeMap<&str, usize> = RULES.iter().map(|rule| (rule.name, 0)).collect();
    let mut cases_of_verdict: BTreeMap<RedeemVerdict, usize> = BTreeMap::new();
    for ((row, verdict), cases) in seen {
        *cases_of_row.entry(row).or_default() += cases;
        *cases_of_verdict.entry(verdict).or_default() += cases;
    }
    assert!(cases_of_row.values().sum::<usize>() > 200_000, "the products are not small: {cases_of_row:#?}");
    assert!(cases_of_row.values().all(|&cases| cases > 0), "a row that no case meets: {cases_of_row:#?}");
    for verdict in RedeemVerdict::ALL {
        assert_ne!(cases_of_verdict.contains_key(&verdict), NOT_OF_THE_RULE.contains(&verdict), "{verdict}");
    }
}

/// Compares rule and table in every case of the product.
fn compare(product: fn(&mut Choices) -> Case) -> BTreeMap<(&'static str, RedeemVerdict), usize> {
    let mut seen = BTreeMap::new();
    for number in 0.. {
        let mut choices = Choices { left: number };
        let case = product(&mut choices);
        if choices.left > 0 {
            break;
        }
        let (row, wanted) = expected(&case);
        let redemption = case.redeem();
        assert!(redemption == wanted, "row {:?} wants {wanted:#?}\n{redemption:#?}\n{case:#?}", row.name);
        *seen.entry((row.name, redemption.verdict)).or_default() += 1;
    }
    seen
}

/// The choices that a number stands for: each number below their product is another combination.
struct Choices {
    left: usize,
}

impl Choices {
    fn of<T: Clone>(&mut self, values: &[T]) -> T {
        let value = values[self.left % values.len()].clone();
        self.left /= values.len();
        value
    }

    fn whether(&mut self) -> bool {
        self.of(&[false, true])
    }

    fn generation(&mut self) -> Generation {
        Generation(self.of(&[0, 1, 2, u32::MAX]))
    }
}

/// Who presents it, with which proofs, and what has ended meanwhile.
fn proofs(choices: &mut Choices) -> Case {
    let mut case = Case::honest();
    case.facts.client = ClientId::parse(choices.of(&["app", "other"])).expect("a client identifier");
    case.facts.authority_tag = choices.of(&TAGS);
    case.facts.verifier = choices.of(&CHALLENGES);
    case.facts.redirect_uri = choices.of(&REDIRECT_URIS);
    case.row.generation = choices.generation();
    let challenge = choices.of(&CHALLENGES[..2]);
    let redirect_uri_was_sent = choices.whether();
    case.set_code(|code| (code.challenge, code.redirect_uri_was_sent) = (challenge, redirect_uri_was_sent));
    if choices.whether() {
        case.row.code = None;
    }
    match choices.of(&[0, 1, 2, 3]) {
        0 => {}
        1 => case.row.revoked_at = Some(APPROVED_AT),
        2 => case.fork_from_root(None),
        _ => case.fork_from_root(Some(APPROVED_AT)),
    }
    case.row.absolute_expires_at = choices.of(&[None, Some(30), Some(90)]).map(|end| APPROVED_AT.plus_seconds(end));
    let (seconds, step) = (choices.of(&[0, 30, 60]), choices.of(&[-1, 0, 1]));
    case.now = APPROVED_AT.plus_seconds(seconds).plus_milliseconds(step);
    case
}

/// Codes under other keys and of other lives of the store.
fn lives_of_the_store(choices: &mut Choices) -> Case {
    let around = [2, 3, 4].map(EpochNumber);
    let mut case = Case::honest();
    case.facts.authority_tag = choices.of(&TAGS);
    case.facts.epoch = choices.of(&around);
    case.row.epoch = choices.of(&around);
    case.epoch = choices.of(&around);
    case.facts.kid = choices.of(&[19, 20, 21].map(Kid));
    case.facts.newest_kid = choices.of(&[19, 20, 21].map(Kid));
    case.row.generation = choices.generation();
    case.policy.code_retry_seconds = choices.of(&[0, 10]);
    case.facts.verifier = choices.of(&CHALLENGES);
    if choices.whether() {
        case.fork_from_root(None);
    }
    case
}

/// Codes that were redeemed: when, with which proof, and under which settings; and what a redemption writes under them.
fn retries(choices: &mut Choices) -> Case {
    let mut case = Case::honest();
    case.row.generation = choices.generation();
    case.policy.code_retry_seconds = choices.of(&[0, 1, 10, 11, u32::MAX]);
    case.facts.verifier = choices.of(&CHALLENGES);
    let challenge = choices.of(&CHALLENGES[..2]);
    case.set_code(|code| code.challenge = challenge);
    let (redeemed_after, seconds, step) =
        (choices.of(&[0, 5, 55]), choices.of(&[0, 1, 10, 11]), choices.of(&[-1, 0, 1]));
    case.row.rotated_at = APPROVED_AT.plus_seconds(redeemed_after);
    case.now = case.row.rotated_at.plus_seconds(seconds).plus_milliseconds(step);
    case.row.idle_expires_at = choices.of(&[None, Some(7)]).map(|end| case.row.rotated_at.plus_seconds(end));
    case.policy.access_lifetime = Lifetime::from_seconds(choices.of(&[0, 300]));
    case.policy.idle_lifetime = Lifetime::from_seconds(choices.of(&[0, 2_000]));
    case.policy.absolute_lifetime = Lifetime::from_seconds(choices.of(&[0, 5]));
    if choices.whether() {
        case.fork_from_root(None);
    }
    case
}

/// What stands against a redemption that is in order itself.
fn permissions(choices: &mut Choices) -> Case {
    let party = |enabled, cutoff| Some(Party { enabled, cutoff, version: 1 });
    let mut case = Case::honest();
    case.client = choices.of(&[None, party(true, 4), party(true, 5), party(true, 3), party(false, 4), party(false, 5)]);
    case.user = choices.of(&[None, party(true, 9), party(true, 10), party(true, 8), party(false, 9), party(false, 10)]);
    let logged_in_after = choices.of(&[None, Some(None), Some(Some(-1)), Some(Some(0)), Some(Some(1))]);
    if let Some(ends_after) = logged_in_after {
        case.log_in_until(ends_after.map(|milliseconds| case.now.plus_milliseconds(milliseconds)));
    }
    case.row.generation = choices.generation();
    case.policy.code_retry_seconds = choices.of(&[0, 10]);
    if choices.whether() {
        case.without_challenge();
    }
    if choices.whether() {
        case.fork_from_root(None);
    }
    case
}

/// Each reason of refusal on and off, so that the order of the questions shows.
fn every_reason_with_every_other(choices: &mut Choices) -> Case {
    let reasons: [fn(&mut Case); 13] = [
        |c| c.facts.client = ClientId::parse("other").expect("a client identifier"),
        |c| c.row.revoked_at = Some(APPROVED_AT),
        |c| c.fork_from_root(Some(APPROVED_AT)),
        |c| c.set_code(|code| code.expires_at = APPROVED_AT),
        |c| c.row.absolute_expires_at = Some(APPROVED_AT),
        |c| c.facts.kid = Kid(19),
        |c| c.facts.verifier = None,
        |c| c.facts.redirect_uri = Some(OTHER_REDIRECT_URI),
        |c| c.policy.code_retry_seconds = 10,
        |c| c.client = None,
        |c| c.user = None,
        |c| c.row.client_cutoff = 3,
        |c| c.log_in_until(Some(APPROVED_AT)),
    ];
    let mut case = Case::honest();
    case.facts.authority_tag = choices.of(&TAGS);
    case.epoch = EpochNumber(choices.of(&[3, 4]));
    case.row.generation = choices.generation();
    for reason in reasons {
        if choices.whether() {
            reason(&mut case);
        }
    }
    case
}
