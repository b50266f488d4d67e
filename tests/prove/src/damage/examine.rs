use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use regrant_engine::TokenError;
use regrant_grant::{Grant, Verdict};

use crate::instance::Instance;
use crate::ledger::{Account, Ledger, Revocation, sender_of};

/// The rows as they were before the damage, by the number of their account.
pub(crate) type Rows = BTreeMap<u32, Grant>;

/// What became of a damaged data directory.
#[derive(Debug, Default)]
pub(crate) struct Examined {
    /// Why it was not opened.
    pub(crate) refused: Option<String>,
    /// Requests that were answered 503, as the store saw that something is wrong.
    pub(crate) detected: usize,
    /// Tokens that were found to be ahead of their row, and answered 503.
    pub(crate) rolled_back: usize,
    /// Tokens that had been superseded, and are good again since their row was rolled back or changed.
    pub(crate) revived: usize,
    /// Grants whose row is gone, so that their tokens are refused.
    pub(crate) gone: usize,
    /// Everything else that is not as it was, and that nobody noticed.
    pub(crate) unnoticed: usize,
    /// What no damage excuses.
    pub(crate) violations: Vec<String>,
}

/// The rows of all accounts.
pub(crate) async fn rows(instance: &Instance, ledger: &Ledger) -> Result<Rows> {
    let mut rows = Rows::new();
    for (&number, account) in &ledger.accounts {
        if let Some(token) = account.tokens.last()
            && let Some(row) = instance.row(token).await?
        {
            rows.insert(number, row);
        }
    }
    Ok(rows)
}

/// Opens `data` and asks for everything that `ledger` knows: current tokens, superseded ones, revoked ones.
pub(crate) async fn examine(data: PathBuf, ledger: Ledger, before: Rows, first: First) -> Examined {
    let mut examined = Examined::default();
    match Instance::open(&data, 60).await {
        Err(error) => examined.refused = Some(format!("{error:#}")),
        Ok(instance) => {
            for (number, account) in &ledger.accounts {
                let examination = Examination { instance: &instance, ledger: &ledger, number: *number, account, first };
                examination.run(before.get(number), &mut examined).await;
            }
        }
    }
    examined
}

struct Examination<'a> {
    instance: &'a Instance,
    ledger: &'a Ledger,
    number: u32,
    account: &'a Account,
    first: First,
}

/// Which token of an account is presented first. One that is ahead of its row stops the store.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum First {
    /// The newest, as its owner does.
    Newest,
    /// The last that was superseded.
    Superseded,
}

/// What a client hears of one refresh.
enum Heard {
    Token,
    Ahead,
    Unavailable,
    Refused,
}

impl Examination<'_> {
    async fn run(&self, before: Option<&Grant>, examined: &mut Examined) {
        let Some(last) = self.account.tokens.last() else { return };
        let row = match self.instance.row(last).await {
            Ok(Some(row)) => row,
            Ok(None) => {
                examined.gone += 1;
                return;
            }
            Err(_) => {
                examined.detected += 1;
                return;
            }
        };
        let is_unchanged = before == Some(&row);
        let is_ahead = self.account.acknowledged() > row.generation.0;
        let was_revoked = self.account.revocation == Revocation::Acknowledged;
        if self.first == First::Superseded {
            self.present_superseded(&row, is_unchanged, examined).await;
        }
        match self.refresh(last).await {
            Heard::Unavailable => examined.detected += 1,
            Heard::Ahead => {
                examined.rolled_back += 1;
                self.must_live_on(&row, examined).await;
            }
            Heard::Token if is_unchanged && was_revoked => {
                self.violate(examined, "a revoked grant was refreshed, and its row is as it was");
            }
            Heard::Token if was_revoked => examined.revived += 1,
            Heard::Token if is_ahead => self.violate(examined, "a token ahead of its row was answered 200"),
            Heard::Token => examined.unnoticed += usize::from(!is_unchanged),
            Heard::Refused if was_revoked => {}
            Heard::Refused if is_ahead && row.revoked_at.is_none() => {
                self.violate(examined, "a token ahead of its row was refused, and not answered 503");
            }
            Heard::Refused => examined.unnoticed += 1,
        }
        self.present_superseded(&row, is_unchanged, examined).await;
    }

    /// A token that is ahead of its row says that the database is old. It must not cost the client its grant.
    async fn must_live_on(&self, row: &Grant, examined: &mut Examined) {
        let token = self.account.tokens.last().map_or("", String::as_str);
        match self.instance.row(token).await {
            Ok(Some(after)) if after.revoked_at == row.revoked_at && after.generation == row.generation => {}
            Ok(_) => self.violate(examined, "a token ahead of its row changed the row"),
            Err(_) => examined.detected += 1,
        }
    }

    /// Every token but the last two, the newest first: none may be good while its row is as it was.
    async fn present_superseded(&self, row: &Grant, is_unchanged: bool, examined: &mut Examined) {
        let superseded = self.account.tokens.len().saturating_sub(2);
        // In a row that was rolled back the token of its generation is good again. Later ones are ahead.
        let in_row = usize::try_from(row.generation.0).unwrap_or(usize::MAX);
        for token in self.account.tokens[..superseded.min(in_row)].iter().rev() {
            match self.refresh(token).await {
                Heard::Token if is_unchanged => {
                    self.violate(examined, "a superseded token was answered 200, and its row is as it was");
                }
                Heard::Token => examined.revived += 1,
                Heard::Unavailable => examined.detected += 1,
                Heard::Ahead | Heard::Refused => {}
            }
        }
    }

    async fn refresh(&self, token: &str) -> Heard {
        let secret = self.ledger.secret.as_deref().unwrap_or_default();
        match self.instance.refresh(sender_of(self.number), secret, token).await {
            Ok(_) => Heard::Token,
            Err(TokenError::Refresh { verdict: Verdict::RolledBack, .. }) => Heard::Ahead,
            Err(TokenError::Store(_) | TokenError::Refresh { verdict: Verdict::Unavailable, .. }) => Heard::Unavailable,
            Err(_) => Heard::Refused,
        }
    }

    fn violate(&self, examined: &mut Examined, what: &str) {
        examined.violations.push(format!("grant {}: {what}", self.number));
    }
}
