//! bshaffer's oauth2-server-php, and redCORE, which contains it: the same tables under other names.

mod client;
mod joomla_user;
mod scope;
mod token;
mod user;

use std::collections::BTreeSet;

use crate::database::{Cells, Database, Shape};
use crate::known::Known;
use crate::name_list::NameList;
use crate::reader::{Content, Context, Item, Step};
use crate::table::{Pages, Table, TableSpec};
use crate::tables::{Naming, own_name};
use crate::{Kind, OpenError, ReadError, Reason, System};

/// Every table that is read of bshaffer.
pub(crate) const BSHAFFER: &[&TableSpec] = &[
    &client::BSHAFFER_CLIENTS,
    &token::BSHAFFER_REFRESH_TOKENS,
    &token::BSHAFFER_ACCESS_TOKENS,
    &scope::BSHAFFER_SCOPES,
    &user::USERS,
];

/// Every table that is read of redCORE and the Joomla around it.
pub(crate) const REDCORE: &[&TableSpec] = &[
    &client::REDCORE_CLIENTS,
    &token::REDCORE_REFRESH_TOKENS,
    &token::REDCORE_ACCESS_TOKENS,
    &scope::REDCORE_SCOPES,
    &joomla_user::USERS,
];

/// The tables of one installation.
pub(crate) struct PhpTables {
    clients: Table,
    refresh_tokens: Table,
    access_tokens: Option<Table>,
    scopes: Option<Table>,
    users: Option<Table>,
    /// The column of the users by which tokens name them.
    users_named_by: &'static str,
    /// The names of all users, where their table has no index by them.
    user_names: Option<NameList>,
}

impl PhpTables {
    /// Finds them.
    ///
    /// # Errors
    /// When the clients or the refresh tokens are missing, or a table is another.
    pub(crate) async fn find(naming: &mut Naming, database: &mut Database) -> Result<Self, OpenError> {
        let shapes = database.shapes().await?;
        let (specs, users_named_by) = match naming.system {
            System::Redcore => {
                find_prefix(naming, &shapes)?;
                (REDCORE, "id")
            }
            System::Bshaffer | System::Wso2 | System::Dotauth => (BSHAFFER, "username"),
        };
        let users = naming.find_used(&shapes, specs[4], database).await?;
        // bshaffer's users have no key; a dump was given one here.
        let user_names = match &users {
            Some(table) if users_named_by == "username" && database.is_live() => Some(names(table, database).await?),
            Some(_) | None => None,
        };
        Ok(Self {
            user_names,
            clients: naming.must_find(&shapes, specs[0])?,
            refresh_tokens: naming.must_find(&shapes, specs[1])?,
            access_tokens: naming.find(&shapes, specs[2])?,
            scopes: naming.find(&shapes, specs[3])?,
            users,
            users_named_by,
        })
    }

    /// What is read, in order.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let step = |content, table: &Table| Step { content, table: table.clone() };
        let mut steps = Vec::new();
        steps.extend(self.scopes.iter().map(|table| step(Content::Scopes, table)));
        steps.push(step(Content::Clients, &self.clients));
        steps.extend(self.users.iter().map(|table| step(Content::Users, table)));
        steps.push(step(Content::RefreshTokens, &self.refresh_tokens));
        steps.extend(self.access_tokens.iter().map(|table| step(Content::AccessTokens, table)));
        steps
    }

    /// The kinds of which there is no table.
    pub(crate) fn absent(&self) -> Vec<Kind> {
        let kinds = [(Kind::Scope, &self.scopes), (Kind::User, &self.users), (Kind::AccessToken, &self.access_tokens)];
        kinds.into_iter().filter(|(_, table)| table.is_none()).map(|(kind, _)| kind).collect()
    }

    /// What the rows of `step` say.
    pub(crate) async fn items(
        &self,
        step: &Step,
        rows: &[Cells],
        context: &mut Context,
    ) -> Result<Vec<Item>, ReadError> {
        let is_token = match step.content {
            Content::Scopes => return Ok(context.each(step, rows, Kind::Scope, scope::scope)),
            Content::Clients => return Ok(context.each(step, rows, Kind::Client, client::client)),
            Content::Users if self.users_named_by == "id" => {
                return Ok(context.each(step, rows, Kind::User, joomla_user::user));
            }
            Content::Users => return Ok(context.each(step, rows, Kind::User, user::user)),
            Content::Consents => return Ok(Vec::new()),
            Content::RefreshTokens => Kind::RefreshToken,
            Content::AccessTokens => Kind::AccessToken,
        };
        let parties = self.parties(step, rows, context).await?;
        let mut items = Vec::with_capacity(rows.len());
        for (at, cells) in rows.iter().enumerate() {
            let row = step.table.row(cells, context.options.digest);
            // Rows come in the order of their tokens, so that the same token twice stands one below the other.
            let is_said_already = at.checked_sub(1).is_some_and(|above| rows[above][0] == cells[0]);
            items.push(if is_said_already {
                Item::left_out(is_token, &row.origin, Reason::Duplicate)
            } else {
                token::token(&row, is_token, &parties, context)?
            });
        }
        Ok(items)
    }

    /// The clients and users that the tokens of a page name, as far as they are there.
    async fn parties(&self, step: &Step, rows: &[Cells], context: &mut Context) -> Result<Parties, ReadError> {
        let digest = context.options.digest;
        let named = |column| -> BTreeSet<String> {
            rows.iter()
                .filter_map(|cells| step.table.row(cells, digest).text(column).ok().flatten().map(ToOwned::to_owned))
                .collect()
        };
        let ignores_case = context.database.ignores_case();
        let found = self.clients.among(&mut context.database, "client_id", &named("client_id")).await?;
        let clients = Known::new(found.iter().filter_map(|cells| cells[0].text().map(ToOwned::to_owned)), ignores_case);
        let users = match &self.users {
            None => None,
            Some(users) => {
                let mut names = named("user_id");
                if self.users_named_by == "id" {
                    // PostgreSQL compares numbers with numbers alone.
                    names.retain(|name| name.parse::<i64>().is_ok());
                }
                let found: Vec<String> = match &self.user_names {
                    Some(list) => list.among(&names).map_err(|error| ReadError {
                        table: users.name.clone(),
                        cause: format!("the temporary list of names cannot be read: {error}"),
                    })?,
                    None => {
                        let found = users.among(&mut context.database, self.users_named_by, &names).await?;
                        found.iter().filter_map(|cells| cells[0].text().map(ToOwned::to_owned)).collect()
                    }
                };
                Some(Known::new(found, ignores_case))
            }
        };
        Ok(Parties { clients, users })
    }
}

/// All that a table is keyed by.
async fn names(table: &Table, database: &mut Database) -> Result<NameList, OpenError> {
    let list = NameList::new()?;
    let mut pages = Pages::default();
    while let Some(rows) = pages.next(table, database).await? {
        // No token is of a user whose name is no text.
        rows.iter().filter_map(|cells| cells[0].text()).try_for_each(|name| list.add(name))?;
    }
    Ok(list)
}

/// Who the tokens of a page may be of.
struct Parties {
    clients: Known,
    /// `None` where the database keeps no users.
    users: Option<Known>,
}

/// Finds out what Joomla was told to put before the names of its tables.
fn find_prefix(naming: &mut Naming, shapes: &[Shape]) -> Result<(), OpenError> {
    if naming.prefix.is_some() {
        return Ok(());
    }
    let name = client::REDCORE_CLIENTS.names[0];
    let mut prefixes: Vec<String> = shapes
        .iter()
        .filter_map(|shape| {
            let table = own_name(&shape.name);
            let at = table.len().checked_sub(name.len())?;
            table.get(at..)?.eq_ignore_ascii_case(name).then(|| table[..at].to_owned())
        })
        .collect();
    match prefixes.as_slice() {
        [] => Ok(()),
        [_] => {
            naming.prefix = prefixes.pop();
            Ok(())
        }
        _ => Err(OpenError::Ambiguous { candidates: prefixes }),
    }
}
