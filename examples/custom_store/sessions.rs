use std::cmp::Reverse;

use regrant::store::{ChangeError, LIVE_SESSIONS_MAX, Session, SessionId, Subject, Timestamp};

use crate::tables::Tables;

/// Login sessions.
impl Tables {
    pub(crate) fn keep_session(&mut self, session: Session, now: Timestamp) -> Result<(), ChangeError> {
        if self.user(&session.user).is_none() {
            return Err(ChangeError::Unknown(session.user.to_string()));
        }
        let may_replace = |kept: &Session| kept.user == session.user && kept.expires_at > now;
        if self.sessions.get(&session.id).is_some_and(|kept| !may_replace(kept)) {
            return Err(ChangeError::Taken(session.id.to_string()));
        }
        let (id, user) = (session.id, session.user.clone());
        self.sessions.insert(id, session);
        self.end_oldest_sessions(&user, id, now);
        Ok(())
    }

    /// Ends what makes the sessions of a user more than there may be, and never the newest.
    fn end_oldest_sessions(&mut self, user: &Subject, newest: SessionId, now: Timestamp) {
        let goes_on = |session: &&mut Session| session.user == *user && session.expires_at > now;
        let mut going_on: Vec<_> = self.sessions.values_mut().filter(goes_on).collect();
        going_on.sort_unstable_by_key(|session| (session.id != newest, Reverse(session.created_at), session.id));
        for session in going_on.into_iter().skip(LIVE_SESSIONS_MAX as usize) {
            session.expires_at = now;
        }
    }

    pub(crate) fn end_sessions(&mut self, now: Timestamp, is_meant: impl Fn(&Session) -> bool) {
        for session in self.sessions.values_mut().filter(|session| is_meant(session)) {
            session.expires_at = session.expires_at.min(now);
        }
    }

    /// When a session ends, if it is one of this user.
    pub(crate) fn session_end(&self, id: SessionId, user: &Subject) -> Option<Timestamp> {
        self.sessions.get(&id).filter(|session| session.user == *user).map(|session| session.expires_at)
    }
}
