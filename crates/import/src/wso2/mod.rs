//! WSO2 Identity Server: one row is a pair of tokens, dates are UTC, and a token is found by a hash that is always there.

mod app;
mod hash;
mod scope;
mod token;
mod user;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::database::{Cells, Database};
use crate::reader::{Content, Context, Item, Step};
use crate::table::{Pages, Table, TableSpec};
use crate::tables::Naming;
use crate::{Kind, OpenError, ReadError};

/// Every table that is read.
pub(crate) const TABLES: &[&TableSpec] = &[
    &app::APPS,
    &app::SECRETS,
    &app::PROPERTIES,
    &token::PAIRS,
    &token::PAIR_SCOPES,
    &token::REFRESH_TOKENS,
    &token::REFRESH_TOKEN_SCOPES,
    &scope::SCOPES,
    &user::USERS,
    &user::TENANTS,
];

/// The tables of one installation.
pub(crate) struct Wso2Tables {
    apps: Table,
    secrets: Option<Table>,
    properties: Option<Table>,
    /// Of pairs, one per partition.
    pairs: Vec<Table>,
    pair_scopes: Vec<Table>,
    /// Of refresh tokens alone, where access tokens are not kept.
    refresh_tokens: Option<Table>,
    refresh_token_scopes: Option<Table>,
    scopes: Option<Table>,
    users: Option<Table>,
    /// The domains of the tenants, by number.
    tenants: BTreeMap<String, String>,
}

impl Wso2Tables {
    /// Finds them.
    ///
    /// # Errors
    /// When the applications or the tokens are missing, or a table is another.
    pub(crate) async fn find(naming: &Naming, database: &mut Database) -> Result<Self, OpenError> {
        let shapes = database.shapes().await?;
        let apps = naming.must_find(&shapes, &app::APPS)?;
        let pairs = naming.partitions(&shapes, &token::PAIRS)?;
        let refresh_tokens = naming.find(&shapes, &token::REFRESH_TOKENS)?;
        if pairs.is_empty() && refresh_tokens.is_none() {
            naming.must_find(&shapes, &token::PAIRS)?;
        }
        let users = naming.find_used(&shapes, &user::USERS, database).await?;
        let tenants = match naming.find(&shapes, &user::TENANTS)? {
            Some(table) => user::tenants(&table, database).await?,
            None => BTreeMap::new(),
        };
        Ok(Self {
            apps,
            secrets: naming.find(&shapes, &app::SECRETS)?,
            properties: naming.find(&shapes, &app::PROPERTIES)?,
            pairs,
            pair_scopes: naming.partitions(&shapes, &token::PAIR_SCOPES)?,
            refresh_tokens,
            refresh_token_scopes: naming.find(&shapes, &token::REFRESH_TOKEN_SCOPES)?,
            scopes: naming.find(&shapes, &scope::SCOPES)?,
            users,
            tenants,
        })
    }

    /// What is read, in order.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let step = |content, table: &Table| Step { content, table: table.clone() };
        let mut steps = Vec::new();
        steps.extend(self.scopes.iter().map(|table| step(Content::Scopes, table)));
        steps.push(step(Content::Clients, &self.apps));
        steps.extend(self.users.iter().map(|table| step(Content::Users, table)));
        steps.extend(self.refresh_tokens.iter().map(|table| step(Content::RefreshTokens, table)));
        steps.extend(self.pairs.iter().map(|table| step(Content::AccessTokens, table)));
        steps
    }

    /// The kinds of which there is no table.
    pub(crate) fn absent(&self) -> Vec<Kind> {
        let kinds = [(Kind::Scope, self.scopes.is_none()), (Kind::User, self.users.is_none())];
        kinds.into_iter().filter(|(_, is_absent)| *is_absent).map(|(kind, _)| kind).collect()
    }

    /// Goes through all tokens once and notes in which row each is found: WSO2 takes the newest.
    ///
    /// # Errors
    /// When reading fails.
    pub(crate) async fn claim_tokens(&self, context: &mut Context) -> Result<(), ReadError> {
        for table in self.refresh_tokens.iter().chain(&self.pairs) {
            let mut pages = Pages::default();
            while let Some(rows) = pages.next(table, &mut context.database).await? {
                for cells in &rows {
                    let row = table.row(cells, context.options.digest);
                    if let Some((digest, created)) = token::claim(&row, context) {
                        let claimed = context.ledger.claim(&digest, created, &row.origin.to_string());
                        claimed.map_err(|error| ReadError { table: table.name.clone(), cause: error.to_string() })?;
                    }
                }
            }
        }
        Ok(())
    }

    /// What the rows of `step` say.
    pub(crate) async fn items(
        &self,
        step: &Step,
        rows: &[Cells],
        context: &mut Context,
    ) -> Result<Vec<Item>, ReadError> {
        let digest = context.options.digest;
        match step.content {
            Content::Scopes => Ok(context.each(step, rows, Kind::Scope, scope::scope)),
            Content::Users => Ok(context.each(step, rows, Kind::User, |row, _| user::user(row, &self.tenants))),
            Content::Clients => {
                let properties = self.properties_of(step, rows, context).await?;
                let secrets = self.secrets_of(rows, context).await?;
                let read = |cells| app::app(&step.table.row(cells, digest), &properties, &secrets);
                Ok(rows.iter().map(read).collect())
            }
            Content::Consents => Ok(Vec::new()),
            Content::RefreshTokens | Content::AccessTokens => {
                let belongings = token::Belongings {
                    clients: self.clients_of(step, rows, context).await?,
                    scopes: self.scopes_of(step, rows, context).await?,
                    users: self.users_of(step, rows, context).await?,
                    tenants: &self.tenants,
                };
                let mut items = Vec::new();
                for cells in rows {
                    items.extend(token::tokens(&step.table.row(cells, digest), &belongings, context)?);
                }
                Ok(items)
            }
        }
    }

    /// The properties of the applications of a page, by `client_id`.
    async fn properties_of(
        &self,
        step: &Step,
        rows: &[Cells],
        context: &mut Context,
    ) -> Result<BTreeMap<String, app::Properties>, ReadError> {
        let mut properties: BTreeMap<String, app::Properties> = BTreeMap::new();
        let Some(table) = &self.properties else { return Ok(properties) };
        let clients = texts(&step.table, rows, "CONSUMER_KEY", context);
        let found = table.among(&mut context.database, "CONSUMER_KEY", &clients).await?;
        for cells in &found {
            let row = table.row(cells, context.options.digest);
            let text = |column| row.text(column).ok().flatten().unwrap_or_default().to_owned();
            properties.entry(text("CONSUMER_KEY")).or_default().insert(text("PROPERTY_KEY"), text("PROPERTY_VALUE"));
        }
        Ok(properties)
    }

    /// The live secrets of the applications of a page, the newest first, by the application's number.
    async fn secrets_of(
        &self,
        rows: &[Cells],
        context: &mut Context,
    ) -> Result<BTreeMap<String, Vec<zeroize::Zeroizing<String>>>, ReadError> {
        let mut secrets: BTreeMap<String, Vec<zeroize::Zeroizing<String>>> = BTreeMap::new();
        let Some(table) = &self.secrets else { return Ok(secrets) };
        let apps: BTreeSet<String> = rows.iter().filter_map(|cells| cells[0].text().map(ToOwned::to_owned)).collect();
        let found = table.among(&mut context.database, "CONSUMER_KEY_ID", &apps).await?;
        let mut rows: Vec<_> = found.iter().map(|cells| table.row(cells, context.options.digest)).collect();
        rows.sort_by_key(|row| Reverse(row.text("CREATED_TIME").ok().flatten().map(ToOwned::to_owned)));
        for row in rows {
            let expiry = row.number("EXPIRY_TIME").ok().flatten().filter(|&expiry| expiry > 0);
            let is_live = expiry.is_none_or(|expiry| expiry > context.options.now.milliseconds());
            if let (Ok(Some(app)), Ok(Some(secret)), true) =
                (row.text("CONSUMER_KEY_ID"), row.text("SECRET_VALUE"), is_live)
            {
                secrets.entry(app.to_owned()).or_default().push(zeroize::Zeroizing::new(secret.to_owned()));
            }
        }
        Ok(secrets)
    }

    /// The `client_id`s of the applications that the tokens of a page name by number.
    async fn clients_of(
        &self,
        step: &Step,
        rows: &[Cells],
        context: &mut Context,
    ) -> Result<BTreeMap<String, String>, ReadError> {
        let mut numbers = texts(&step.table, rows, "CONSUMER_KEY_ID", context);
        numbers.retain(|number| number.parse::<i64>().is_ok());
        let found = self.apps.among(&mut context.database, "ID", &numbers).await?;
        let clients = found.iter().filter_map(|cells| {
            let row = self.apps.row(cells, context.options.digest);
            Some((cells[0].text()?.to_owned(), row.text("CONSUMER_KEY").ok()??.to_owned()))
        });
        Ok(clients.collect())
    }

    /// The scopes of the tokens of a page, by the token's number.
    async fn scopes_of(
        &self,
        step: &Step,
        rows: &[Cells],
        context: &mut Context,
    ) -> Result<BTreeMap<String, BTreeSet<String>>, ReadError> {
        let tokens: BTreeSet<String> = rows.iter().filter_map(|cells| cells[0].text().map(ToOwned::to_owned)).collect();
        let (tables, column): (Vec<&Table>, _) = if step.content == Content::RefreshTokens {
            (self.refresh_token_scopes.iter().collect(), "REFRESH_TOKEN_ID")
        } else {
            (self.pair_scopes.iter().collect(), "TOKEN_ID")
        };
        let mut scopes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for table in tables {
            for cells in &table.among(&mut context.database, column, &tokens).await? {
                let row = table.row(cells, context.options.digest);
                if let (Some(token), Ok(Some(scope))) = (cells[0].text(), row.text("TOKEN_SCOPE")) {
                    scopes.entry(token.to_owned()).or_default().insert(scope.to_owned());
                }
            }
        }
        Ok(scopes)
    }

    /// The users of the primary store whom the tokens of a page name; `None` where users are elsewhere.
    async fn users_of(
        &self,
        step: &Step,
        rows: &[Cells],
        context: &mut Context,
    ) -> Result<Option<crate::known::Known>, ReadError> {
        let Some(table) = &self.users else { return Ok(None) };
        let names = texts(&step.table, rows, "AUTHZ_USER", context);
        let found = table.among(&mut context.database, "UM_USER_NAME", &names).await?;
        let subjects = found.iter().filter_map(|cells| {
            let row = table.row(cells, context.options.digest);
            let tenant = row.text("UM_TENANT_ID").ok()??;
            Some(user::qualified(row.text("UM_USER_NAME").ok()??, None, tenant, &self.tenants))
        });
        // Its user stores compare names without case unless told otherwise.
        Ok(Some(crate::known::Known::new(subjects, true)))
    }
}

/// The different texts of a column in a page.
fn texts(table: &Table, rows: &[Cells], column: &'static str, context: &Context) -> BTreeSet<String> {
    let text = |cells| table.row(cells, context.options.digest).text(column).ok().flatten().map(ToOwned::to_owned);
    rows.iter().filter_map(text).collect()
}
