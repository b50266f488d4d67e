//! What an answer makes of the credential.

use super::{Answered, Exchange, Unsaved};
use crate::{Credential, Delivery, Failure, LogInReason, OAuthError, Pending, Temporary, TokenError, TokenType};

impl Exchange<'_> {
    /// Writes down what a try has come to. `Some` when it has to be repeated.
    pub(super) async fn settle(
        &mut self,
        before: Option<&Credential>,
        answered: Answered,
    ) -> Result<Option<Temporary>, TokenError> {
        let Answered { reply, target, key } = answered;
        match reply.outcome {
            Ok(tokens) => {
                let sent = before.and_then(|before| before.refresh_token.clone());
                let bound = match before {
                    // What a login was bound to, all its tokens are.
                    Some(before) if before.dpop_key.is_some() && tokens.token_type == TokenType::Bearer => {
                        Err(Failure::TokenType(tokens.token_type))
                    }
                    _ => self.client.bound(key, tokens.token_type),
                };
                let bound = bound.and_then(|key| tokens.check_length().map(|()| key));
                let (at, offset) = (reply.received_at, reply.clock_offset);
                // The marker as it was before this try: what is unanswered in it has never been answered.
                let renewed = match (bound, before) {
                    (Ok(key), Some(before)) => before.bound_to(key).renewed(tokens, at, offset, &target),
                    (Ok(key), None) => Credential::of_login(self.client, tokens, at, offset.unwrap_or(0), key),
                    (Err(failure), None) => return Err(TokenError::Refused(failure)),
                    (Err(failure), Some(before)) => {
                        // The access token is not to be used; the refresh token is the only one there is.
                        let renewed = before.renewed(tokens, at, offset, &target).without_access(&target);
                        self.keep(Unsaved { sent, renewed }).await?;
                        return Err(TokenError::Refused(failure));
                    }
                };
                self.keep(Unsaved { sent, renewed }).await.map(|()| None)
            }
            Err(Failure::Terminal(error)) => self.clear(error).await,
            Err(
                failure @ (Failure::ReRegister(_)
                | Failure::Configuration(_)
                | Failure::TokenType(_)
                | Failure::TooLong(_)),
            ) => {
                self.settle_marker(before, Delivery::Answered, true).await?;
                Err(TokenError::Refused(failure))
            }
            Err(Failure::Temporary(temporary)) => {
                self.settle_marker(before, temporary.delivery, false).await?;
                Ok(Some(temporary))
            }
        }
    }

    /// Takes from the marker the try that is no longer under way, and the whole marker when nothing can be spent.
    async fn settle_marker(
        &mut self,
        before: Option<&Credential>,
        delivery: Delivery,
        is_verdict: bool,
    ) -> Result<(), TokenError> {
        let (Some(before), Some(marked)) = (before, self.latest.clone()) else {
            return Ok(());
        };
        let unanswered_sent_at = before.pending.as_ref().and_then(|pending| pending.unanswered_sent_at);
        let pending = match delivery {
            Delivery::Unanswered => return Ok(()),
            Delivery::NotSent => before.pending.clone(),
            Delivery::Answered if is_verdict && unanswered_sent_at.is_none() => None,
            Delivery::Answered => marked.pending.clone().map(|pending| Pending { unanswered_sent_at, ..pending }),
        };
        let settled = Credential { pending, ..marked.clone() };
        // Somebody else's write is newer than what we know.
        self.swap(Some(&marked), &settled).await.map(|_| ())
    }

    /// Drops the refresh token that was refused, and no other; `Some` when there is another by now.
    async fn clear(&mut self, error: OAuthError) -> Result<Option<Temporary>, TokenError> {
        let Some(marked) = self.latest.clone() else {
            return Err(TokenError::Refused(Failure::Terminal(error)));
        };
        let refused = Some(error.error.clone());
        let cleared = Credential { refresh_token: None, pending: None, not_before: None, refused, ..marked.clone() };
        if self.swap(Some(&marked), &cleared).await? {
            Err(LogInReason::Refused(error.error).into())
        } else {
            let cause = "the refresh token was refused, and somebody else has written meanwhile".to_owned();
            Ok(Some(Temporary { cause, retry_after: None, delivery: Delivery::Answered, error: None }))
        }
    }
}
