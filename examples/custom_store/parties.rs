use regrant::store::{
    ChangeError, Client, ClientChange, ClientHandle, ClientId, Consent, Page, Party, Subject, User, UserChange,
    Username,
};

use crate::tables::Tables;

/// Clients, users, and what these allowed those.
impl Tables {
    pub(crate) fn client(&self, id: &ClientId) -> Option<&Client> {
        self.clients.get(id)?.as_ref()
    }

    pub(crate) fn client_with_handle(&self, handle: ClientHandle) -> Option<&Client> {
        self.clients.values().flatten().find(|client| client.handle == handle)
    }

    pub(crate) fn client_party(&self, id: &ClientId) -> Option<Party> {
        self.client(id).map(|client| client.party)
    }

    pub(crate) fn add_client(&mut self, client: Client) -> Result<(), ChangeError> {
        self.claim_name(client.id.as_str())?;
        self.clients.insert(client.id.clone(), Some(client));
        Ok(())
    }

    pub(crate) fn change_client(&mut self, id: &ClientId, change: ClientChange) -> Result<(), ChangeError> {
        let kept = self.clients.get_mut(id).filter(|kept| kept.is_some());
        let Some(kept) = kept else { return Err(ChangeError::Unknown(id.to_string())) };
        if let ClientChange::Remove = change {
            *kept = None;
            self.consents.retain(|(_, client), _| client != id);
            return Ok(());
        }
        let Some(client) = kept else { return Ok(()) };
        let is_outdated = match change {
            ClientChange::Settings { seen_version, .. } => seen_version != client.party.version,
            ClientChange::Enabled(_) | ClientChange::RaiseCutoff | ClientChange::Remove => false,
        };
        if is_outdated {
            return Err(ChangeError::Outdated(id.to_string()));
        }
        client.party.version += 1;
        match change {
            ClientChange::Settings { settings, .. } => client.settings = *settings,
            ClientChange::Enabled(enabled) => client.party.enabled = enabled,
            ClientChange::RaiseCutoff => client.party.cutoff += 1,
            ClientChange::Remove => {}
        }
        Ok(())
    }

    pub(crate) fn user(&self, subject: &Subject) -> Option<&User> {
        self.users.get(subject)?.as_ref()
    }

    pub(crate) fn user_named(&self, username: &Username) -> Option<&User> {
        self.users.values().flatten().find(|user| user.username == *username)
    }

    pub(crate) fn user_party(&self, subject: &Subject) -> Option<Party> {
        self.user(subject).map(User::party)
    }

    pub(crate) fn add_user(&mut self, user: User) -> Result<(), ChangeError> {
        self.claim_name(user.subject.as_str())?;
        if self.user_named(&user.username).is_some() {
            return Err(ChangeError::Taken(user.username.to_string()));
        }
        self.users.insert(user.subject.clone(), Some(user));
        Ok(())
    }

    pub(crate) fn change_user(&mut self, subject: &Subject, change: UserChange) -> Result<(), ChangeError> {
        let kept = self.users.get_mut(subject).filter(|kept| kept.is_some());
        let Some(kept) = kept else { return Err(ChangeError::Unknown(subject.to_string())) };
        if let UserChange::Remove = change {
            *kept = None;
            self.consents.retain(|(user, _), _| user != subject);
            self.sessions.retain(|_, session| session.user != *subject);
            return Ok(());
        }
        let Some(user) = kept else { return Ok(()) };
        if let UserChange::Rehashed { from, to } = change {
            if user.credential.as_ref() == Some(&from) {
                user.credential = Some(to);
            }
            return Ok(());
        }
        let seen_version = match change {
            UserChange::Profile { seen_version, .. } => Some(seen_version),
            UserChange::Password { seen_version, .. } => seen_version,
            UserChange::Status(_) | UserChange::RaiseCutoff | UserChange::Rehashed { .. } | UserChange::Remove => None,
        };
        if seen_version.is_some_and(|seen_version| seen_version != user.version) {
            return Err(ChangeError::Outdated(subject.to_string()));
        }
        user.version += 1;
        match change {
            UserChange::Status(status) => user.status = status,
            UserChange::Password { credential, .. } => user.credential = Some(credential),
            UserChange::Profile { profile, .. } => user.profile = *profile,
            UserChange::RaiseCutoff => user.cutoff += 1,
            UserChange::Rehashed { .. } | UserChange::Remove => {}
        }
        Ok(())
    }

    pub(crate) fn users_page(&self, after: Option<&Username>, count_max: usize) -> Page<User, Username> {
        let is_after = |user: &&User| after.is_none_or(|after| user.username.as_str() > after.as_str());
        let mut users: Vec<_> = self.users.values().flatten().filter(is_after).collect();
        users.sort_unstable_by_key(|user| user.username.as_str());
        let items: Vec<User> = users.into_iter().take(count_max).cloned().collect();
        let next = items.last().filter(|_| items.len() == count_max).map(|last| last.username.clone());
        Page { items, next }
    }

    pub(crate) fn keep_consent(&mut self, consent: Consent) -> Result<(), ChangeError> {
        if self.user(&consent.user).is_none() {
            return Err(ChangeError::Unknown(consent.user.to_string()));
        }
        if self.client(&consent.client).is_none() {
            return Err(ChangeError::Unknown(consent.client.to_string()));
        }
        self.consents.insert((consent.user.clone(), consent.client.clone()), consent);
        Ok(())
    }

    /// Client identifiers and subjects are one set of names, and removing frees none (RFC 9068 §5).
    fn claim_name(&self, name: &str) -> Result<(), ChangeError> {
        let is_taken = self.clients.contains_key(name) || self.users.contains_key(name);
        if is_taken { Err(ChangeError::Taken(name.to_owned())) } else { Ok(()) }
    }
}
