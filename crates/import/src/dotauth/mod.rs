//! DotAuth with its Marten storage: documents in PostgreSQL, as JSON in the column `data` of tables `mt_doc_…`.

mod claims;
mod client;
mod consent;
mod document;
mod scope;
mod token;
mod user;

use std::collections::BTreeSet;

use crate::database::{Cells, Database};
use crate::known::Known;
use crate::reader::{Content, Context, Item, Step};
use crate::record::Kind;
use crate::table::{ColumnFault, Row, Table, TableSpec};
use crate::tables::Naming;
use crate::{OpenError, ReadError};
use document::Document;

/// Every table that is read.
pub(crate) const TABLES: &[&TableSpec] = &[&CLIENTS, &USERS, &SCOPES, &CONSENTS, &TOKENS];

static CLIENTS: TableSpec = documents(&["mt_doc_client", "mt_doc_clientcontainer"]);
static USERS: TableSpec = documents(&["mt_doc_resourceowner"]);
static SCOPES: TableSpec = documents(&["mt_doc_scope", "mt_doc_scopecontainer"]);
static CONSENTS: TableSpec = documents(&["mt_doc_consent"]);
static TOKENS: TableSpec = documents(&["mt_doc_grantedtoken"]);

const fn documents(names: &'static [&'static str]) -> TableSpec {
    TableSpec {
        names,
        key: "id",
        // One per tenant.
        key_is_unique: false,
        key_is_token: false,
        required: &["data"],
        optional: &["tenant_id"],
        looked_up_by: &[],
    }
}

/// The tables of one installation.
pub(crate) struct DotauthTables {
    clients: Table,
    users: Option<Table>,
    scopes: Option<Table>,
    consents: Option<Table>,
    tokens: Table,
    /// Whether the clients are kept under their `client_id`, and not under a number.
    clients_are_keyed_by_id: bool,
}

impl DotauthTables {
    /// Finds them.
    ///
    /// # Errors
    /// When the clients or the tokens are missing, or a table is another.
    pub(crate) async fn find(naming: &Naming, database: &mut Database) -> Result<Self, OpenError> {
        let shapes = database.shapes().await?;
        let users = naming.find_used(&shapes, &USERS, database).await?;
        let clients = naming.must_find(&shapes, &CLIENTS)?;
        Ok(Self {
            clients_are_keyed_by_id: !clients.name.to_ascii_lowercase().ends_with("container"),
            clients,
            users,
            scopes: naming.find(&shapes, &SCOPES)?,
            consents: naming.find(&shapes, &CONSENTS)?,
            tokens: naming.must_find(&shapes, &TOKENS)?,
        })
    }

    /// What is read, in order.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let step = |content, table: &Table| Step { content, table: table.clone() };
        let mut steps = Vec::new();
        steps.extend(self.scopes.iter().map(|table| step(Content::Scopes, table)));
        steps.push(step(Content::Clients, &self.clients));
        steps.extend(self.users.iter().map(|table| step(Content::Users, table)));
        steps.extend(self.consents.iter().map(|table| step(Content::Consents, table)));
        steps.push(step(Content::AccessTokens, &self.tokens));
        steps
    }

    /// The kinds of which there is no table.
    pub(crate) fn absent(&self) -> Vec<Kind> {
        let kinds = [(Kind::Scope, &self.scopes), (Kind::User, &self.users), (Kind::Consent, &self.consents)];
        kinds.into_iter().filter(|(_, table)| table.is_none()).map(|(kind, _)| kind).collect()
    }

    /// What the rows of `step` say.
    pub(crate) async fn items(
        &self,
        step: &Step,
        rows: &[Cells],
        context: &mut Context,
    ) -> Result<Vec<Item>, ReadError> {
        let parties = match step.content {
            Content::AccessTokens | Content::RefreshTokens => Some(self.parties(step, rows, context).await?),
            Content::Scopes | Content::Clients | Content::Users | Content::Consents => None,
        };
        let mut items = Vec::new();
        for cells in rows {
            let row = step.table.row(cells, context.options.digest);
            if !is_of_tenant(&row, context) {
                continue;
            }
            let (kind, record) = match step.content {
                Content::Scopes => (Kind::Scope, read(&row).and_then(|document| scope::scope(&row, &document))),
                Content::Clients => (Kind::Client, read(&row).and_then(|document| client::client(&row, &document))),
                Content::Users => (Kind::User, user::user(&row, read(&row))),
                Content::Consents => (Kind::Consent, read(&row).and_then(|document| consent::consent(&row, &document))),
                Content::RefreshTokens | Content::AccessTokens => {
                    let parties = parties.as_ref().expect("they were looked up above");
                    items.extend(token::tokens(&row, read(&row), parties, context)?);
                    continue;
                }
            };
            items.push(match record {
                Ok(record) => Item::Record(record),
                Err(fault) => Item::Problem(fault.in_row(kind, row.origin)),
            });
        }
        Ok(items)
    }

    /// The clients and users that the tokens of a page name, as far as they are there.
    async fn parties(&self, step: &Step, rows: &[Cells], context: &mut Context) -> Result<Parties, ReadError> {
        let documents: Vec<Document> =
            rows.iter().filter_map(|cells| read(&step.table.row(cells, context.options.digest)).ok()).collect();
        let clients = if self.clients_are_keyed_by_id {
            let named: BTreeSet<String> =
                documents.iter().filter_map(|token| token.text("clientId").map(ToOwned::to_owned)).collect();
            let found = self.clients.among(&mut context.database, "id", &named).await?;
            Some(Known::new(found.iter().filter_map(|cells| cells[0].text().map(ToOwned::to_owned)), false))
        } else {
            None
        };
        let users = match &self.users {
            None => None,
            Some(table) => {
                let named: BTreeSet<String> = documents.iter().filter_map(token::subject).collect();
                let found = table.among(&mut context.database, "id", &named).await?;
                Some(Known::new(found.iter().filter_map(|cells| cells[0].text().map(ToOwned::to_owned)), false))
            }
        };
        Ok(Parties { clients, users })
    }
}

/// Who the tokens of a page may be of.
struct Parties {
    /// `None` where clients cannot be found by their `client_id`.
    clients: Option<Known>,
    /// `None` where the database keeps no users.
    users: Option<Known>,
}

fn read(row: &Row<'_>) -> Result<Document, ColumnFault> {
    Document::parse(row.required("data")?)
        .ok_or_else(|| ColumnFault::new("data", "it is no JSON object", "correct or delete the row"))
}

fn is_of_tenant(row: &Row<'_>, context: &Context) -> bool {
    match (&context.options.tenant, row.text("tenant_id")) {
        (Some(wanted), Ok(Some(tenant))) => wanted == tenant,
        _ => true,
    }
}
