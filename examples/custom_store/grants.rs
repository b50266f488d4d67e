use regrant::store::{
    AccessTokenId, Cap, Family, Grant, GrantId, Party, Rule, Scene, StoreError, Surroundings, Target, Timestamp, Write,
};

use crate::tables::Tables;

/// What a step is about, as it was found.
#[derive(Default)]
struct Found {
    grant: Option<Grant>,
    client: Option<Party>,
    user: Option<Party>,
    root: Option<Grant>,
    session_ends_at: Option<Timestamp>,
    access_token_is_listed: bool,
}

/// Grants, and the steps on them.
impl Tables {
    /// Reads the scene, lets the rule decide, and writes: all of it or nothing.
    pub(crate) fn step(&mut self, target: &Target, rule: &mut Rule, now: Timestamp) -> Result<(), StoreError> {
        let found = self.look_up(target)?;
        let surroundings = Surroundings {
            epoch: self.epoch,
            client: found.client,
            user: found.user,
            root: found.root.as_ref(),
            session_ends_at: found.session_ends_at,
        };
        let grant = found.grant.as_ref();
        let write = rule(&Scene { now, grant, surroundings, access_token_is_listed: found.access_token_is_listed });
        self.check(&write)?;
        if let (Some(cap), Write::Insert(row) | Write::Update(row)) = (Cap::on(&write, grant), &write) {
            self.make_room(cap, row, now);
        }
        match write {
            Write::Nothing => {}
            Write::Update(row) => {
                self.grants.insert(row.id, row);
            }
            Write::Insert(row) => {
                if let Some(root) = row.root {
                    self.siblings.entry(root).or_default().push(row.id);
                }
                self.grants.insert(row.id, row);
            }
            Write::ListAccessToken { id, until } => {
                self.listed_access_tokens.entry(id.to_bytes()).or_insert(until);
            }
        }
        Ok(())
    }

    fn look_up(&self, target: &Target) -> Result<Found, StoreError> {
        let is_listed = |id: &AccessTokenId| self.listed_access_tokens.contains_key(&id.to_bytes());
        match target {
            Target::Grant(id) => self.look_up_grant(*id),
            Target::AccessToken(id) => {
                Ok(Found { access_token_is_listed: is_listed(id), ..self.look_up_grant(id.grant)? })
            }
            Target::NewGrant { grant, client, user, session } => Ok(Found {
                client: self.client_party(client),
                user: self.user_party(user),
                session_ends_at: session.and_then(|id| self.session_end(id, user)),
                ..self.look_up_grant(*grant)?
            }),
            Target::Client(client) => Ok(Found { client: self.client_party(client), ..Found::default() }),
            Target::ClientAccessToken(client, id) => {
                let client = self.client_party(client);
                Ok(Found { client, access_token_is_listed: is_listed(id), ..Found::default() })
            }
        }
    }

    fn look_up_grant(&self, id: GrantId) -> Result<Found, StoreError> {
        let Some(grant) = self.grants.get(&id) else { return Ok(Found::default()) };
        let root = grant.root.map(|root| self.grants.get(&root).cloned());
        if root == Some(None) {
            return Err(inconsistent(grant, "root", "is not there"));
        }
        Ok(Found {
            client: self.client_party(&grant.client),
            user: self.user_party(&grant.subject),
            root: root.flatten(),
            session_ends_at: grant.session.and_then(|id| self.session_end(id, &grant.subject)),
            grant: Some(grant.clone()),
            access_token_is_listed: false,
        })
    }

    /// Whether it can be written, so that what makes room for it does not end for nothing.
    fn check(&self, write: &Write) -> Result<(), StoreError> {
        match write {
            Write::Insert(row) if self.grants.contains_key(&row.id) => Err(inconsistent(row, "id", "is taken")),
            Write::Insert(row) if !self.clients.contains_key(&row.client) => {
                Err(inconsistent(row, "client", "is unknown"))
            }
            Write::Insert(row) if !self.users.contains_key(&row.subject) => {
                Err(inconsistent(row, "user", "is unknown"))
            }
            Write::Update(row) => {
                let before = self.grants.get(&row.id).ok_or_else(|| inconsistent(row, "id", "is unknown"))?;
                let owners = |row: &Grant| (row.client.clone(), row.subject.clone(), row.root, row.session);
                if owners(row) != owners(before) {
                    return Err(inconsistent(row, "owner", "cannot change"));
                }
                let follows = before.version.checked_add(1) == Some(row.version);
                if follows { Ok(()) } else { Err(inconsistent(row, "version", "does not follow the present one")) }
            }
            Write::Insert(_) | Write::Nothing | Write::ListAccessToken { .. } => Ok(()),
        }
    }

    /// Ends the grant that has to go when `row` comes, if one has to.
    fn make_room(&mut self, cap: Cap, row: &Grant, now: Timestamp) {
        let is_beside = |root: &&Grant| root.root.is_none() && root.subject == row.subject && root.client == row.client;
        let families: Vec<_> = self.grants.values().filter(is_beside).map(|root| self.family(root)).collect();
        if let Write::Update(ended) = cap.make_room(&families, now) {
            self.grants.insert(ended.id, ended);
        }
    }

    /// A root with what is around it.
    pub(crate) fn family<'a>(&'a self, root: &'a Grant) -> Family<'a> {
        let siblings = self.siblings.get(&root.id).into_iter().flatten().filter_map(|id| self.grants.get(id));
        let last_used_sibling = siblings.max_by_key(|sibling| sibling.rotated_at);
        Family { root, surroundings: self.surroundings(root), last_used_sibling }
    }

    /// What is around a root.
    pub(crate) fn surroundings(&self, root: &Grant) -> Surroundings<'static> {
        Surroundings {
            epoch: self.epoch,
            client: self.client_party(&root.client),
            user: self.user_party(&root.subject),
            root: None,
            session_ends_at: root.session.and_then(|id| self.session_end(id, &root.subject)),
        }
    }
}

fn inconsistent(row: &Grant, column: &'static str, problem: &str) -> StoreError {
    StoreError::Inconsistent { table: "grants", column, row: row.id.to_string(), problem: problem.to_owned() }
}
