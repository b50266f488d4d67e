use std::time::Duration;

use anyhow::Result;
use regrant_data_directory::RestorePolicy;
use regrant_engine::{FOLLOW_PAUSE_MILLISECONDS_MAX, TokenError};
use regrant_grant::{RecoverPublic, Verdict};
use tokio::time::sleep;

use super::drill::{Chain, Drill, log_in_once, refresh, refresh_as_thief};
use crate::instance::{Instance, Sender};
use crate::report::{Entry, Report};

/// A way to put the database back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Variant {
    /// `regrant restore --policy strict`.
    Strict,
    /// `regrant restore --policy recover`.
    Recover,
    /// The same with `--recover-public accept_ahead`.
    AcceptAhead,
    /// By hand, together with mark and journal, so that only a token can tell.
    Unnoticed,
    /// A fault: `recover`, and the journal is not replayed.
    JournalNotReplayed,
    /// A fault: by hand, mark and journal lost, and no epoch begun.
    NoEpoch,
}

/// What came of the tokens.
#[derive(Default)]
struct Counts {
    honest: usize,
    honest_refused: usize,
    revoked_alive: usize,
    stolen: usize,
    stolen_accepted: usize,
    old: usize,
    old_accepted: usize,
    /// How often the store decided nothing, so that nobody learned anything.
    undecided: usize,
}

/// How long a restored store takes tokens of the epoch before.
const RECOVERY_SECONDS: u32 = 24 * 60 * 60;

impl Variant {
    pub(super) const ALL: [Self; 6] =
        [Self::Strict, Self::Recover, Self::AcceptAhead, Self::Unnoticed, Self::JournalNotReplayed, Self::NoEpoch];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Recover => "recover",
            Self::AcceptAhead => "recover, accept_ahead",
            Self::Unnoticed => "mark and journal put back too",
            Self::JournalNotReplayed => "planted: the journal is not replayed",
            Self::NoEpoch => "planted: no epoch is begun",
        }
    }

    pub(super) async fn run(self, mut drill: Drill, report: &mut Report) -> Result<()> {
        let mut entry = Entry::begin("restore", self.name());
        entry.add("store", drill.place.store().name());
        entry.add("grants", drill.chains.len());
        entry.add(
            "refreshes_after_backup",
            drill.chains.iter().map(|chain| chain.tokens.len() - chain.before).sum::<usize>(),
        );
        entry.add("revocations_after_backup", drill.chains.iter().filter(|chain| chain.is_revoked).count());
        let recover = |public| RestorePolicy::Recover { seconds: RECOVERY_SECONDS, public };
        let (count, violations) = match self {
            Self::Strict => {
                let served = drill.copies_back_unnoticed(2).await?;
                let replayed = drill.restore(RestorePolicy::Strict, true).await?.replayed;
                entry.add("replayed", replayed);
                let instance = drill.open(3).await?;
                let counts = all_old(&instance, &drill.chains).await;
                tell(&mut entry, &counts);
                entry.add("served_unrestored", served);
                // A store that refuses everybody would look as good.
                let client = &drill.chains[0].client;
                let again = log_in_once(&instance, client).await?;
                let goes_on = refresh(&instance, client, &again).await.is_ok();
                entry.add("new_login_goes_on", goes_on);
                let broken = counts.old_accepted + counts.undecided + usize::from(!goes_on);
                (counts.old, usize::from(served) + broken)
            }
            Self::Recover => {
                let served = drill.copies_back_unnoticed(2).await?;
                let restored = drill.restore(recover(RecoverPublic::LogInAgain), true).await?;
                entry.add("replayed", restored.replayed);
                let counts = recovered(&drill.open(3).await?, &drill.chains, false).await;
                tell(&mut entry, &counts);
                entry.add("served_unrestored", served);
                let broken = counts.broken() + counts.without_meaning(restored.replayed);
                (counts.honest + counts.stolen, usize::from(served) + broken)
            }
            Self::AcceptAhead => {
                let replayed = drill.restore(recover(RecoverPublic::AcceptAhead), true).await?.replayed;
                entry.add("replayed", replayed);
                let counts = recovered(&drill.open(3).await?, &drill.chains, true).await;
                tell(&mut entry, &counts);
                (counts.honest + counts.stolen, counts.broken() + counts.without_meaning(replayed))
            }
            Self::Unnoticed => {
                drill.place.put_outside_back()?;
                let served = drill.copies_back_unnoticed(2).await?;
                entry.add("served_unrestored", served);
                let (answered, noticed_at, answered_afterwards) = notice(&drill.open(3).await?, &drill.chains).await;
                entry.add("answered_before_it_was_noticed", answered);
                entry.add("noticed_at_request", noticed_at);
                let starts_again = drill.open(4).await.is_ok();
                entry.add("starts_again", starts_again);
                let is_as_told = served && noticed_at.is_some() && !starts_again;
                (answered, usize::from(!is_as_told) + answered_afterwards)
            }
            Self::JournalNotReplayed => {
                drill.restore(recover(RecoverPublic::LogInAgain), false).await?;
                drill.place.forget_journal();
                let counts = recovered(&drill.open(3).await?, &drill.chains, false).await;
                tell(&mut entry, &counts);
                (counts.honest, usize::from(counts.revoked_alive == 0))
            }
            Self::NoEpoch => {
                drill.place.lose_outside()?;
                drill.copies_back_unnoticed(2).await?;
                // The first token that is ahead stops the store, which decides nothing from then on.
                let counts = all_old(&drill.open(3).await?, &drill.chains).await;
                tell(&mut entry, &counts);
                (counts.old, usize::from(counts.old_accepted == 0))
            }
        };
        report.close(entry, count, violations);
        Ok(())
    }
}

impl Counts {
    fn broken(&self) -> usize {
        self.honest_refused + self.revoked_alive + self.stolen_accepted
    }

    /// How much of what a recovery is about did not happen, so that nothing of it could break.
    fn without_meaning(&self, replayed: u64) -> usize {
        [self.honest as u64, self.stolen as u64, replayed].iter().filter(|count| **count == 0).count()
    }
}

fn tell(entry: &mut Entry, counts: &Counts) {
    let Counts { honest, honest_refused, revoked_alive, stolen, stolen_accepted, old, old_accepted, undecided } =
        counts;
    for (member, count) in [
        ("honest", honest),
        ("honest_refused", honest_refused),
        ("revoked_alive", revoked_alive),
        ("stolen_presented", stolen),
        ("stolen_accepted", stolen_accepted),
        ("old_presented", old),
        ("old_accepted", old_accepted),
        ("undecided", undecided),
    ] {
        entry.add(member, *count);
    }
}

/// Every token that was ever given is presented by its owner.
async fn all_old(instance: &Instance, chains: &[Chain]) -> Counts {
    let mut counts = Counts::default();
    for chain in chains {
        // The newest first: it is the likeliest to be taken.
        for token in chain.tokens.iter().rev() {
            counts.old += 1;
            match refresh(instance, &chain.client, token).await {
                Ok(_) => counts.old_accepted += 1,
                Err(TokenError::Store(_)) => counts.undecided += 1,
                Err(_) => {}
            }
        }
    }
    counts
}

/// Thieves come first, then the owners with their newest tokens; each owner refreshes twice, and repeats the first try.
async fn recovered(instance: &Instance, chains: &[Chain], accepts_ahead: bool) -> Counts {
    let mut counts = Counts::default();
    for chain in chains {
        // By accept_ahead, one that was copied after the backup is good for whoever comes first.
        let stolen = chain.stolen.iter().filter(|token| !accepts_ahead || chain.tokens[..chain.before].contains(token));
        for token in stolen {
            counts.stolen += 1;
            counts.stolen_accepted += usize::from(refresh_as_thief(instance, &chain.client, token).await.is_ok());
        }
    }
    for chain in chains {
        if chain.is_revoked {
            let newest = refresh(instance, &chain.client, chain.newest()).await.is_ok();
            let in_backup = refresh(instance, &chain.client, &chain.tokens[chain.before - 1]).await.is_ok();
            counts.revoked_alive += usize::from(newest || in_backup);
            continue;
        }
        let goes_on = chain.client.kind == Sender::Confidential || accepts_ahead && chain.is_ahead();
        if goes_on {
            counts.honest += 1;
            counts.honest_refused += usize::from(!keeps_going(instance, chain).await);
        } else if refresh(instance, &chain.client, chain.newest()).await.is_ok() {
            // Nobody can tell the owner of a bearer token from a thief.
            counts.stolen_accepted += 1;
        }
    }
    counts
}

async fn keeps_going(instance: &Instance, chain: &Chain) -> bool {
    let Ok(first) = refresh(instance, &chain.client, chain.newest()).await else { return false };
    let repeated = refresh(instance, &chain.client, chain.newest()).await;
    let second = refresh(instance, &chain.client, &first).await;
    repeated.is_ok_and(|repeated| repeated == first) && second.is_ok()
}

/// The owners come one by one, until a token is ahead of its row; then all of them again. How many were answered before, at
/// which request it was noticed, and how many were answered afterwards.
async fn notice(instance: &Instance, chains: &[Chain]) -> (usize, Option<usize>, usize) {
    let mut answered = 0;
    let mut noticed_at = None;
    for (index, chain) in chains.iter().enumerate() {
        match refresh(instance, &chain.client, chain.newest()).await {
            Ok(_) => answered += 1,
            Err(TokenError::Refresh { verdict: Verdict::RolledBack, .. }) => {
                noticed_at = Some(index + 1);
                break;
            }
            Err(_) => {}
        }
    }
    // Every node hears of it within so long.
    sleep(Duration::from_millis(FOLLOW_PAUSE_MILLISECONDS_MAX)).await;
    let mut afterwards = 0;
    for chain in chains {
        afterwards += usize::from(refresh(instance, &chain.client, chain.newest()).await.is_ok());
    }
    (answered, noticed_at, afterwards)
}
