//! What a workload was told, and what it was about to ask: one line each, in the order in which it happened.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::instance::Sender;

/// Everything that was acknowledged up to a moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// The secret of the confidential client, once both clients and the user are registered.
    pub(crate) secret: Option<String>,
    /// By the number that the workload gave them.
    pub(crate) accounts: BTreeMap<u32, Account>,
}

/// One grant, as its client knows it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    /// Every refresh token that was received: that of generation 1 first.
    pub(crate) tokens: Vec<String>,
    /// The highest generation that was asked for.
    pub(crate) attempted: u32,
    /// How far its revocation came.
    pub(crate) revocation: Revocation,
}

/// How far a revocation came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Revocation {
    /// Nobody asked for it.
    #[default]
    None,
    /// It was asked for.
    Attempted,
    /// It was answered 200.
    Acknowledged,
}

impl Account {
    /// The highest generation that was received.
    pub(crate) fn acknowledged(&self) -> u32 {
        u32::try_from(self.tokens.len()).unwrap_or(u32::MAX)
    }
}

/// Whose the account of this number is.
pub(crate) fn sender_of(number: u32) -> Sender {
    if number.is_multiple_of(2) { Sender::Confidential } else { Sender::PublicBearer }
}

impl Ledger {
    /// Takes in a line. Lines of any other kind say nothing about accounts, and are passed over.
    pub(crate) fn note(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["registered", secret] => self.secret = Some((*secret).to_owned()),
            [what, number, rest @ ..] => {
                if let Ok(number) = number.parse() {
                    self.note_about(number, what, rest.first().copied());
                }
            }
            _ => {}
        }
    }

    fn note_about(&mut self, number: u32, what: &str, token: Option<&str>) {
        let account = self.accounts.entry(number).or_default();
        match (what, token) {
            ("asks", _) => account.attempted = account.acknowledged() + 1,
            ("has", Some(token)) => account.tokens.push(token.to_owned()),
            ("revokes", _) => account.revocation = Revocation::Attempted,
            ("revoked", _) => account.revocation = Revocation::Acknowledged,
            _ => {}
        }
    }

    /// The lines that make the same ledger again.
    pub(crate) fn to_lines(&self) -> String {
        let mut lines = String::new();
        let mut line = |text: String| writeln!(lines, "{text}").expect("writing to a String cannot fail");
        if let Some(secret) = &self.secret {
            line(format!("registered {secret}"));
        }
        for (number, account) in &self.accounts {
            for token in &account.tokens {
                line(format!("has {number} {token}"));
            }
            if account.attempted > account.acknowledged() {
                line(format!("asks {number}"));
            }
            match account.revocation {
                Revocation::None => {}
                Revocation::Attempted => line(format!("revokes {number}")),
                Revocation::Acknowledged => line(format!("revoked {number}")),
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_made_again_from_its_lines() {
        let mut ledger = Ledger::default();
        for line in
            ["registered s", "asks 0", "has 0 a", "asks 0", "has 0 b", "asks 1", "has 1 c", "asks 1", "revokes 0"]
        {
            ledger.note(line);
        }
        ledger.note("revoked 0");
        ledger.note("failed 1");
        let mut again = Ledger::default();
        ledger.to_lines().lines().for_each(|line| again.note(line));
        assert_eq!(again.to_lines(), ledger.to_lines());
        assert_eq!(again.accounts[&0].tokens, ["a", "b"]);
        assert_eq!(again.accounts[&0].revocation, Revocation::Acknowledged);
        assert_eq!((again.accounts[&1].acknowledged(), again.accounts[&1].attempted), (1, 2));
    }
}
