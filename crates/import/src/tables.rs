use std::collections::BTreeMap;

use crate::database::{Database, Shape};
use crate::dump::Interest;
use crate::table::{Table, TableSpec};
use crate::{OpenError, System};

/// How many tables a message lists.
const LISTED_MAX: usize = 20;

/// How the tables of a system are called in one installation.
pub(crate) struct Naming {
    pub(crate) system: System,
    /// What stands before every name: Joomla's `jos_`. `None` is to be found out.
    pub(crate) prefix: Option<String>,
    /// Other names, by the system's own.
    pub(crate) renamed: BTreeMap<String, String>,
}

impl Naming {
    /// The table of `spec` among `shapes`; `None` where there is none.
    ///
    /// # Errors
    /// When there are several, or one that is another.
    pub(crate) fn find(&self, shapes: &[Shape], spec: &'static TableSpec) -> Result<Option<Table>, OpenError> {
        let found: Vec<&Shape> = shapes.iter().filter(|shape| self.is_called(&shape.name, spec)).collect();
        match found.as_slice() {
            [] => Ok(None),
            [shape] => spec.at(shape, self.system).map(Some),
            several => Err(OpenError::Ambiguous {
                candidates: several.iter().take(LISTED_MAX).map(|shape| shape.name.clone()).collect(),
            }),
        }
    }

    /// As [`Naming::find`], but an empty table is none: it came with the installation and is not used.
    ///
    /// # Errors
    /// As there, and when it cannot be read.
    pub(crate) async fn find_used(
        &self,
        shapes: &[Shape],
        spec: &'static TableSpec,
        database: &mut Database,
    ) -> Result<Option<Table>, OpenError> {
        let Some(table) = self.find(shapes, spec)? else { return Ok(None) };
        Ok((!table.is_empty(database).await?).then_some(table))
    }

    /// The table of `spec`, which must be there.
    ///
    /// # Errors
    /// When it is not, with what is.
    pub(crate) fn must_find(&self, shapes: &[Shape], spec: &'static TableSpec) -> Result<Table, OpenError> {
        self.find(shapes, spec)?.ok_or_else(|| OpenError::NoTable {
            system: self.system,
            table: self.expected(spec.names[0]),
            found: listing(shapes),
        })
    }

    /// The table of `spec` and its partitions, `NAME_A`, `NAME_B`, …: WSO2 keeps one per user store where it is told to.
    ///
    /// # Errors
    /// When one of them is another table.
    pub(crate) fn partitions(&self, shapes: &[Shape], spec: &'static TableSpec) -> Result<Vec<Table>, OpenError> {
        shapes
            .iter()
            .filter(|shape| is_partition(own_name(&shape.name), spec.names) || self.is_called(&shape.name, spec))
            .map(|shape| spec.at(shape, self.system))
            .collect()
    }

    /// What the table that the system calls `name` is called here.
    fn expected(&self, name: &str) -> String {
        match self.renamed.get(name) {
            Some(other) => other.clone(),
            None => format!("{}{name}", self.prefix.as_deref().unwrap_or_default()),
        }
    }

    fn is_called(&self, table: &str, spec: &TableSpec) -> bool {
        spec.names.iter().any(|name| own_name(table).eq_ignore_ascii_case(&self.expected(name)))
    }
}

/// A table's name without PostgreSQL's schema.
pub(crate) fn own_name(table: &str) -> &str {
    table.rsplit_once('.').map_or(table, |(_, table)| table)
}

fn is_partition(table: &str, names: &[&str]) -> bool {
    names.iter().any(|name| {
        let suffix =
            table.get(..name.len()).filter(|start| start.eq_ignore_ascii_case(name)).map(|_| &table[name.len()..]);
        suffix
            .and_then(|suffix| suffix.strip_prefix('_'))
            .is_some_and(|letter| letter.len() == 1 && letter.bytes().all(|letter| letter.is_ascii_alphabetic()))
    })
}

fn listing(shapes: &[Shape]) -> String {
    if shapes.is_empty() {
        return "there is no table at all: is it the right file or database?".to_owned();
    }
    let names: Vec<&str> = shapes.iter().take(LISTED_MAX).map(|shape| shape.name.as_str()).collect();
    let more = if shapes.len() > LISTED_MAX { ", …" } else { "" };
    format!("there are {}{more}", names.join(", "))
}

/// What of a dump a system's reader asks for.
pub(crate) struct Wanted<'a> {
    pub(crate) naming: &'a Naming,
    pub(crate) specs: &'static [&'static TableSpec],
}

impl Wanted<'_> {
    fn spec(&self, table: &str) -> Option<&'static TableSpec> {
        let is_meant = |name: &&str| match (self.naming.system, &self.naming.prefix) {
            // The prefix is found out from the tables that are there.
            (System::Redcore, None) => {
                table.len() >= name.len()
                    && table.is_char_boundary(table.len() - name.len())
                    && table[table.len() - name.len()..].eq_ignore_ascii_case(name)
            }
            _ => table.eq_ignore_ascii_case(&self.naming.expected(name)) || is_partition(table, &[name]),
        };
        self.specs.iter().find(|spec| spec.names.iter().any(&is_meant)).copied()
    }
}

impl Interest for Wanted<'_> {
    fn wants(&self, name: &str) -> bool {
        self.spec(own_name(name)).is_some()
    }

    fn looked_up_by(&self, name: &str) -> Vec<&'static str> {
        let Some(spec) = self.spec(own_name(name)) else { return Vec::new() };
        std::iter::once(spec.key).chain(spec.looked_up_by.iter().copied()).collect()
    }
}
