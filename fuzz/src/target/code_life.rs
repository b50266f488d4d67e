use regrant_grant::{Generation, Grant, RedeemFacts, RedeemVerdict, Redemption, Write};
use regrant_protocol::{EpochNumber, Kid};

use crate::bytes::Bytes;
use crate::case::{self, Case};
use crate::code_case::{CHALLENGES, REDIRECT_URIS};

/// The most requests of one life.
const REQUESTS_MAX: usize = 64;

/// A grant from its code on: the code presented by anybody in any order, while its tokens are refreshed.
pub(crate) fn run(data: &[u8]) {
    check(data, Case::redeem);
}

/// Holds a rule to its promises over the life of a code.
pub(crate) fn check(data: &[u8], rule: impl Fn(&Case<RedeemFacts>) -> Redemption) {
    let mut bytes = Bytes::new(data);
    let mut case = Case::of_code(&mut bytes);
    if let Some(code) = &mut case.row.code {
        code.challenge = bytes.choice(&CHALLENGES[..2]);
        code.redirect_uri_was_sent = !bytes.is_set();
    }
    let mut history = History::default();
    for _ in 0..REQUESTS_MAX {
        if bytes.is_empty() {
            break;
        }
        match bytes.byte() % 8 {
            0..=3 => {
                present(&mut case, &mut bytes);
                let redemption = rule(&case);
                history.take(&mut case, redemption);
            }
            4 => history.refresh(&mut case),
            5 => case.now = case.now.plus_seconds(bytes.choice(&[-1, 1, 5, 10, 60, -60])),
            6 => case.facts.newest_kid = Kid(case.facts.newest_kid.0.saturating_add(1)),
            _ => case.policy.code_retry_seconds = bytes.choice(&[0, 5, 10, u32::MAX]),
        }
    }
}

/// Somebody presents the code, with what they know of its request.
fn present(case: &mut Case<RedeemFacts>, bytes: &mut Bytes<'_>) {
    case.facts.client = case::client(bytes);
    case.facts.authority_tag = case::authority_tag(bytes);
    (case.facts.kid, case.facts.epoch) = bytes.choice(&[(Kid(20), EpochNumber(3)), (Kid(19), EpochNumber(2))]);
    case.facts.verifier = bytes.choice(&[CHALLENGES[0], CHALLENGES[0], CHALLENGES[1], CHALLENGES[2]]);
    case.facts.redirect_uri = bytes.choice(&REDIRECT_URIS);
}

/// What was answered, as somebody saw it who knows nothing of rows.
#[derive(Default)]
struct History {
    /// The row of the first tokens, once the code was redeemed.
    first: Option<Grant>,
    /// Whether the first refresh token has been used.
    is_refreshed: bool,
    has_ended: bool,
}

impl History {
    /// Writes what was decided of the code, and holds it against all that was answered before.
    fn take(&mut self, case: &mut Case<RedeemFacts>, Redemption { verdict, write }: Redemption) {
        assert!(!verdict.is_success() || !self.has_ended, "{verdict} after the end");
        if verdict == RedeemVerdict::Retried {
            assert!(!self.is_refreshed, "a retry repeats tokens that nobody has used");
            assert_eq!(Some(&case.row), self.first.as_ref(), "a retry gives the same tokens");
        }
        match write {
            Write::Update(row) if verdict == RedeemVerdict::Redeemed => {
                assert_eq!(self.first, None, "a code was redeemed twice");
                assert_eq!(row.generation, Generation::FIRST);
                self.first = Some(row.clone());
                case.row = row;
            }
            Write::Update(row) => {
                assert_eq!(verdict, RedeemVerdict::Replayed, "a refusal changes nothing");
                assert!(self.first.is_some(), "who presents a code for the first time ends nothing");
                assert!(row.revoked_at.is_some() && row.generation >= case.row.generation);
                self.has_ended = true;
                case.row = row;
            }
            Write::Nothing => assert!(!matches!(verdict, RedeemVerdict::Redeemed | RedeemVerdict::Replayed)),
            Write::Insert(_) | Write::ListAccessToken { .. } => panic!("a redemption makes no row"),
        }
    }

    /// The client uses its refresh token, once it has one.
    fn refresh(&mut self, case: &mut Case<RedeemFacts>) {
        if self.first.is_none() {
            return;
        }
        let decision = case.refresh();
        assert!(!decision.verdict.is_success() || !self.has_ended, "{} after the end", decision.verdict);
        if let Write::Update(row) = decision.write {
            assert!(row.generation >= case.row.generation, "a generation decreased");
            self.is_refreshed = true;
            case.row = row;
        }
    }
}
