//! The same requests to two servers, of which one is swept: nobody can tell which, but for what ended long ago.

use std::collections::BTreeMap;

use regrant_crypto::{Entropy, SeededEntropy, random};
use regrant_grant::{GrantId, GrantSecret, RedeemVerdict, Verdict};
use regrant_protocol::{Params, TokenResponse};

use super::{SweepOutcome, Sweeper};
use crate::TokenError;
use crate::world::{VERIFIER, World};

const REQUESTS: u32 = 300;
/// How many of the last grants are asked for something; those before may have been swept.
const GRANTS_IN_USE: usize = 24;

/// What a client hears: the new refresh token, or why there is none.
type Heard = Result<String, String>;

/// A server, and what it was asked.
struct Side {
    world: World,
    sweeper: Option<Sweeper>,
}

/// What a client has of a grant.
#[derive(Clone, Default)]
struct Held {
    code: String,
    refresh_tokens: Vec<String>,
}

/// What is asked next, the same of both.
#[derive(Clone, Debug)]
enum Request {
    Approve(GrantId),
    Redeem { code: String },
    Refresh { token: String },
    Revoke { token: String },
    Wait { seconds: u32 },
}

impl Side {
    async fn answer(&self, request: &Request) -> Heard {
        let world = &self.world;
        match request {
            Request::Approve(id) => {
                let secret = GrantSecret::new(id.0);
                Ok(world.code_of(|birth| (birth.id, birth.secret) = (*id, secret)).await)
            }
            Request::Redeem { code } => {
                let form = format!("grant_type=authorization_code&client_id=app&code={code}&code_verifier={VERIFIER}");
                heard(world.token(&form).await)
            }
            Request::Refresh { token } => {
                heard(world.token(&format!("grant_type=refresh_token&client_id=app&refresh_token={token}")).await)
            }
            Request::Revoke { token } => {
                let params = Params::parse(format!("client_id=app&token={token}").as_bytes()).unwrap();
                world.server.revoke(&world.context(), None, &params).await.unwrap();
                Ok(String::new())
            }
            Request::Wait { seconds } => {
                world.clock.advance_seconds(*seconds);
                Ok(String::new())
            }
        }
    }

    /// Sweeps one slice; how many grants it removed.
    async fn sweep(&self) -> u64 {
        let Some(sweeper) = &self.sweeper else { return 0 };
        match sweeper.sweep_slice().await {
            SweepOutcome::Slice(removed) => removed.grants,
            SweepOutcome::Pass(_) => 0,
            stopped @ (SweepOutcome::Failed(_)
            | SweepOutcome::NotYet(_)
            | SweepOutcome::ClockDoubted
            | SweepOutcome::ClockJumped) => panic!("{stopped:?}"),
        }
    }
}

fn heard(answer: Result<TokenResponse, TokenError>) -> Heard {
    match answer {
        Ok(response) => Ok(response.refresh_token.unwrap().expose().to_owned()),
        Err(TokenError::Refresh { verdict, .. }) => Err(verdict.to_string()),
        Err(TokenError::Redeem { verdict, .. }) => Err(verdict.to_string()),
        Err(other) => panic!("{other}"),
    }
}

/// Chooses what is asked next from what clients have.
fn choose(chance: &dyn Entropy, held: &BTreeMap<GrantId, Held>) -> (GrantId, Request) {
    let [what, whose, which, high, low] = random::<5>(chance);
    let count = held.len();
    let fresh = GrantId((count as u128).to_be_bytes());
    let in_use = held.iter().skip(count.saturating_sub(GRANTS_IN_USE));
    let Some((id, held)) = in_use.clone().nth(usize::from(whose) % count.clamp(1, GRANTS_IN_USE)) else {
        return (fresh, Request::Approve(fresh));
    };
    let age = usize::from(which) % 4;
    let token = held.refresh_tokens.iter().rev().nth(if age == 3 { 2 } else { age / 2 }).cloned();
    let request = match (what % 16, token) {
        (0 | 1, _) => return (fresh, Request::Approve(fresh)),
        (2, _) | (_, None) => Request::Redeem { code: held.code.clone() },
        (3, Some(token)) => Request::Revoke { token },
        // From a moment to most of a day, mostly less than an hour.
        (4, _) => Request::Wait { seconds: u32::from(u16::from_be_bytes([high, low])) },
        (5..=8, _) => Request::Wait { seconds: u32::from(u16::from_be_bytes([high, low])) % 1_200 },
        (_, Some(token)) => Request::Refresh { token },
    };
    (*id, request)
}

#[tokio::test]
async fn t07_a_sweep_between_any_two_requests_is_noticed_by_nobody() {
    let (mut removed, mut forgotten, mut successes) = (0, 0, 0);
    for seed in 0..4 {
        let swept = World::new().await;
        swept.server.store.trust_clock().await.unwrap();
        let sweeper = Some(swept.server.sweeper());
        let sides = [Side { world: World::new().await, sweeper: None }, Side { world: swept, sweeper }];
        let chance = SeededEntropy::new(seed);
        let mut held = BTreeMap::<GrantId, Held>::new();
        for number in 0..REQUESTS {
            let (id, request) = choose(&chance, &held);
            let [kept, swept] = [sides[0].answer(&request).await, sides[1].answer(&request).await];
            if kept == swept {
                successes += u32::from(kept.is_ok());
            } else {
                // What a client can do is the same: it has to log in again.
                let over = [Verdict::ExpiredIdle, Verdict::ExpiredAbsolute, Verdict::Revoked].map(Verdict::as_str);
                let was_over = kept.as_ref().is_err_and(|verdict| {
                    over.contains(&verdict.as_str()) || verdict == RedeemVerdict::Expired.as_str()
                });
                let is_unknown = swept == Err(Verdict::UnknownGrant.to_string());
                assert!(was_over && is_unknown, "seed {seed}, {number}: {request:?} got {kept:?} and {swept:?}");
                forgotten += 1;
            }
            match (request, kept) {
                (Request::Approve(_), Ok(code)) => {
                    held.entry(id).or_default().code = code;
                }
                (Request::Redeem { .. } | Request::Refresh { .. }, Ok(token)) => {
                    let tokens = &mut held.entry(id).or_default().refresh_tokens;
                    if tokens.last() != Some(&token) {
                        tokens.push(token);
                    }
                }
                _ => {}
            }
            removed += sides[1].sweep().await;
        }
    }
    assert!(removed > 0 && forgotten > 0 && successes > 0, "{removed}, {forgotten}, {successes}");
}
