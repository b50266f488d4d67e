//! What the behaviour of refresh tokens means.

use super::super::behaviour::{Behaviour, Outcome};
use super::super::observations::Refresh;
use super::Finding;
use super::Grade::{Bad, Note, Warning};

pub(super) fn findings(refresh: &Refresh) -> Vec<Finding> {
    const TOPIC: &str = "refresh";
    match refresh {
        Refresh::NotTried => {
            vec![Finding::new(
                Note,
                TOPIC,
                "not tried",
                "say --client-id ID, and log in: then it is tried what a lost answer does to a session",
            )]
        }
        Refresh::NoPasswordGrant { cause } => vec![Finding::new(
            Note,
            TOPIC,
            format!("not tried: this client may not log in by a password ({cause})"),
            "log in with a browser: leave out --username",
        )],
        Refresh::NoLogin { cause } => {
            vec![Finding::new(
                Bad,
                TOPIC,
                format!("there was no login to try it with: {cause}"),
                "check client, secret, user and scope",
            )]
        }
        Refresh::NoToken => vec![Finding::new(
            Warning,
            TOPIC,
            "the login gave no refresh token",
            "ask with --scope offline_access, or allow the client the grant type refresh_token: people have to log in whenever the access token ends otherwise",
        )],
        Refresh::Tried(behaviour) => {
            [Some(rotation(behaviour)), retry(behaviour), reuse(behaviour)].into_iter().flatten().collect()
        }
    }
}

fn rotation(seen: &Behaviour) -> Finding {
    const TOPIC: &str = "rotation";
    match &seen.refresh {
        Some(Outcome::Rotated | Outcome::SameSuccessor) => {
            Finding::good(TOPIC, "every refresh gives another refresh token")
        }
        Some(Outcome::Echoed) => Finding::new(
            Note,
            TOPIC,
            "the refresh token stays the same",
            "for public clients bind it to a key (DPoP), or rotate it: a stolen one serves for as long as it lives",
        ),
        Some(Outcome::Omitted) => Finding::new(
            Note,
            TOPIC,
            "a refresh gives no refresh token; the old one is kept",
            "return it in every answer: clients that drop it by mistake have to log in",
        ),
        Some(Outcome::Refused { error }) => Finding::new(
            Bad,
            TOPIC,
            format!("a refresh token that had just been given was refused: {error}"),
            "allow the client the grant type refresh_token",
        ),
        Some(Outcome::Unclear { cause }) => unclear(TOPIC, cause),
        None => unclear(TOPIC, "nothing was answered"),
    }
}

fn retry(seen: &Behaviour) -> Option<Finding> {
    const TOPIC: &str = "retry";
    let rotates = matches!(seen.refresh, Some(Outcome::Rotated));
    Some(match seen.retry.as_ref()? {
        Outcome::SameSuccessor => Finding::good(TOPIC, "a lost answer is given again, with the same refresh token"),
        Outcome::Echoed | Outcome::Omitted if !rotates => {
            Finding::good(TOPIC, "a lost answer costs nothing: the token is still good")
        }
        Outcome::Rotated | Outcome::Echoed | Outcome::Omitted if is_alive(seen.after_retry.as_ref()) => Finding::new(
            Note,
            TOPIC,
            "after a lost answer the spent token is accepted again, and gives another one",
            "give the same successor again: every retry adds a token that somebody may have read otherwise",
        ),
        Outcome::Rotated | Outcome::Echoed | Outcome::Omitted => Finding::new(
            Bad,
            TOPIC,
            "after a lost answer the spent token is accepted again, and what it gives is refused",
            "give the same successor again while nobody has used it",
        ),
        Outcome::Refused { error } if is_alive(seen.after_retry.as_ref()) => Finding::new(
            Bad,
            TOPIC,
            format!("after a lost answer the same refresh token is refused ({error})"),
            "let the server give the same answer again for a while (a retry or grace window): every answer that is lost on its way costs a login otherwise, and no client can help it",
        ),
        Outcome::Refused { error } => Finding::new(
            Bad,
            TOPIC,
            format!("after a lost answer the same refresh token is refused ({error}), and the session ended"),
            "let the server give the same answer again for a while (a retry or grace window): a lost answer is taken for a theft otherwise, and costs a login",
        ),
        Outcome::Unclear { cause } => unclear(TOPIC, cause),
    })
}

fn reuse(seen: &Behaviour) -> Option<Finding> {
    const TOPIC: &str = "reuse";
    if let (Some(Outcome::Refused { .. }), Some(Outcome::Refused { .. })) = (&seen.retry, &seen.after_retry) {
        return Some(Finding::good(TOPIC, "a token that was spent is refused, and the session ends"));
    }
    Some(match (seen.reuse.as_ref()?, is_alive(seen.after_reuse.as_ref())) {
        (Outcome::Refused { .. }, false) => {
            Finding::good(TOPIC, "a token that was spent long since is refused, and the session ends")
        }
        (Outcome::Refused { .. }, true) => Finding::new(
            Warning,
            TOPIC,
            "a token that was spent long since is refused, and the session goes on",
            "end the session (RFC 9700 section 4.14.2): a thief who was faster than the owner keeps it otherwise",
        ),
        (Outcome::Unclear { cause }, _) => unclear(TOPIC, cause),
        (Outcome::Rotated | Outcome::SameSuccessor | Outcome::Echoed | Outcome::Omitted, _) => Finding::new(
            Warning,
            TOPIC,
            "a token that was superseded twice is accepted",
            "refuse it and end the session, but for the retry of the last one: rotation finds no thief otherwise",
        ),
    })
}

const fn is_alive(outcome: Option<&Outcome>) -> bool {
    !matches!(outcome, None | Some(Outcome::Refused { .. } | Outcome::Unclear { .. }))
}

fn unclear(topic: &'static str, cause: &str) -> Finding {
    Finding::new(Warning, topic, format!("the server gave no verdict: {cause}"), "try again later")
}
