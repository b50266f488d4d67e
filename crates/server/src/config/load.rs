use std::collections::BTreeMap;
use std::path::Path;

use regrant_http::{Dialect, Dialects};
use regrant_import::settings::System;

use crate::config::client::{self, ConfiguredClient, ID};
use crate::config::contradictions::Contradictions;
use crate::config::dialect::{self, PATHS};
use crate::config::document::{Document, entry_label};
use crate::config::environment::Environment;
use crate::config::file::{CONFIG_FILE, ConfigFile};
use crate::config::key::Key;
use crate::config::layers::Layers;
use crate::config::old_server::{self, CLIENT, ConfiguredOldServer};
use crate::config::origin::Origin;
use crate::config::problem::{ConfigErrors, Fault, Problem};
use crate::config::section::{Section, Shape};
use crate::config::stand_in::{self, StandIn};
use crate::config::syntax::SyntaxErrors;
use crate::config::table_reader::{Finished, Reported, TableReader};
use crate::config::value::{Setting, Value};
use crate::config::{
    AdminConfig, BrandingConfig, Config, LogConfig, ScopeTexts, ServerConfig, SessionConfig, Sources, StoreConfig,
    Table, TlsConfig, admin, branding, client_defaults, limits, log, outside, scopes, server, sessions, store, tls,
};

impl Config {
    /// Reads flags, environment and file, and checks what they say together. Files that are named in it are looked at;
    /// nothing is made or changed.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn load(sources: &Sources) -> Result<Self, ConfigErrors> {
        let file = open(sources)?;
        let parsed = file.as_ref().map(Document::parse);
        let (document, syntax) = match parsed {
            Some((document, syntax)) => (Some(document), syntax),
            None => (None, SyntaxErrors::default()),
        };
        let environment = Environment::new(&sources.environment);
        let layers = Layers { flags: &sources.flags, environment, document: document.as_ref() };
        Loader { layers, tables: Vec::new(), problems: Vec::new(), warnings: Vec::new(), notes: Vec::new() }
            .load(syntax)
    }
}

impl StoreConfig {
    /// What the environment alone says of the store.
    ///
    /// # Errors
    /// What is wrong with that.
    pub(crate) fn of_environment(sources: &Sources) -> Result<Self, ConfigErrors> {
        let layers =
            Layers { flags: &sources.flags, environment: Environment::new(&sources.environment), document: None };
        let mut loader =
            Loader { layers, tables: Vec::new(), problems: Vec::new(), warnings: Vec::new(), notes: Vec::new() };
        loader.table(&store::SECTION, Self::read).map_err(|Reported| ConfigErrors(loader.problems))
    }
}

/// The file that was named, or the usual one if it is there.
fn open(sources: &Sources) -> Result<Option<ConfigFile>, ConfigErrors> {
    match &sources.file {
        Some(path) => ConfigFile::read(path).map(Some),
        None if Path::new(CONFIG_FILE).exists() => ConfigFile::read(Path::new(CONFIG_FILE)).map(Some),
        None => Ok(None),
    }
}

struct Loader<'a> {
    layers: Layers<'a>,
    tables: Vec<Table>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    notes: Vec<Problem>,
}

impl Loader<'_> {
    fn load(mut self, syntax: SyntaxErrors) -> Result<Config, ConfigErrors> {
        if let Some(document) = self.layers.document {
            self.problems.extend(document.misplaced());
        }
        let server = self.table(&server::SECTION, ServerConfig::read);
        let (stand_in, system) = self.stand_in();
        let tls = self.table(&tls::SECTION, TlsConfig::read);
        let admin = self.table(&admin::SECTION, AdminConfig::read);
        let store = self.table(&store::SECTION, outside::read);
        let dialects = self.dialects(system, &stand_in.dialect);
        let defaults = self.table_over(&client_defaults::SECTION, &stand_in.clients, client_defaults::read);
        let sessions = self.table(&sessions::SECTION, SessionConfig::read);
        let branding = self.table(&branding::SECTION, BrandingConfig::read);
        let scopes = self.scopes();
        let limits = self.table(&limits::SECTION, limits::read);
        let log = self.table(&log::SECTION, LogConfig::read);
        let clients = self.clients();
        let old_servers = self.old_servers(&clients);

        self.problems.extend(self.layers.environment.problems());
        if let (Ok(server), Ok(tls), true) = (&server, &tls, syntax.is_empty() && self.is_transport_clear()) {
            let file = self.layers.document.map_or(Origin::Default, |document| document.file.whole());
            let found =
                Contradictions::find(&self.tables, &file, server, tls.as_ref(), admin.as_ref().ok(), log.as_ref().ok());
            self.problems.extend(found.problems);
            self.warnings.extend(found.warnings);
        }
        syntax.merge_into(&mut self.problems);
        self.warnings.extend(stand_in.warnings);
        let Self { tables, mut problems, mut warnings, mut notes, .. } = self;
        problems.sort_by(|a, b| a.origin.cmp(&b.origin));
        warnings.sort_by(|a, b| a.origin.cmp(&b.origin));
        notes.extend(stand_in.notes);

        let config = (|| {
            let (store, outside) = store?;
            Ok::<_, Reported>(Config {
                server: server?,
                tls: tls?,
                admin: admin?,
                store,
                outside,
                defaults: defaults?,
                sessions: sessions?,
                branding: branding?,
                dialects: dialects?,
                scopes,
                limits: limits?,
                log: log?,
                warnings,
                notes,
                clients,
                old_servers,
                tables,
            })
        })();
        match config {
            Ok(config) if problems.is_empty() => Ok(config),
            Ok(_) | Err(Reported) => Err(ConfigErrors(problems)),
        }
    }

    /// Whether all was understood that could say where and how to listen: a contradiction may come from a slip.
    fn is_transport_clear(&self) -> bool {
        let sections = [server::SECTION.name, tls::SECTION.name, admin::SECTION.name];
        let is_about = |problem: &Problem| {
            let section = problem.key.split('.').next().unwrap_or_default();
            sections.contains(&section) || matches!(problem.fault, Fault::UnknownSection(_))
        };
        !self.problems.iter().any(is_about)
    }

    /// Reads the one table of a section.
    fn table<T>(
        &mut self,
        section: &'static Section,
        read: impl Fn(&mut TableReader<'_>) -> Result<T, Reported>,
    ) -> Result<T, Reported> {
        self.table_over(section, &[], read)
    }

    /// The same, where `inherited` stands in for what no layer says.
    fn table_over<T>(
        &mut self,
        section: &'static Section,
        inherited: &[Setting],
        read: impl Fn(&mut TableReader<'_>) -> Result<T, Reported>,
    ) -> Result<T, Reported> {
        let rows = self.layers.document.and_then(|document| document.table(section));
        let mut table = TableReader::new(section, &self.layers, rows).with_inherited(inherited);
        let result = read(&mut table);
        let finished = table.finish();
        self.keep(section, finished);
        result
    }

    /// What the system does that is chosen, with its options; and that system.
    fn stand_in(&mut self) -> (StandIn, Option<System>) {
        let section = self.tables.iter().find(|table| table.section.name == server::SECTION.name);
        let settings = section.map(|table| table.settings.as_slice()).unwrap_or_default();
        let Some(chosen) = settings.iter().find(|setting| setting.name == server::STAND_IN.name).cloned() else {
            return (StandIn::default(), None);
        };
        let name = chosen.value.as_text().unwrap_or_default();
        let system = System::named(name);
        let others = System::ALL.into_iter().filter(|other| Some(*other) != system).filter_map(stand_in::section_of);
        for section in others {
            let begins = self.layers.document.and_then(|document| document.table(section)).map(|(_, begins)| begins);
            self.problems.extend(begins.map(|begins| stand_in::misplaced(section, begins, name)));
        }
        let Some(system) = system else { return (StandIn::default(), None) };
        self.notes.push(stand_in::width(system, chosen.origin));
        let read = match stand_in::section_of(system) {
            Some(section) => self.table(section, |table| StandIn::read(table, system)),
            None => Ok(StandIn::by_itself(system)),
        };
        (read.unwrap_or_default(), Some(system))
    }

    fn dialects(&mut self, system: Option<System>, chosen: &[Setting]) -> Result<Dialects, Reported> {
        let mut inherited = dialect::of_stand_in(system);
        inherited.retain(|setting| chosen.iter().all(|chosen| chosen.name != setting.name));
        inherited.extend_from_slice(chosen);
        let default = self.table_over(&dialect::SECTION, &inherited, |table| dialect::read(table, system));
        let paths = self.layers.document.and_then(|document| Some((document, document.table(&PATHS)?)));
        let at = paths.map(|(document, (rows, _))| {
            let spoken = default.clone().unwrap_or_else(|Reported| Dialect::standard());
            let (at, settings, problems) = dialect::read_paths(document, rows, spoken);
            self.keep(&PATHS, Finished { settings, problems, warnings: Vec::new() });
            at
        });
        Ok(Dialects { default: default?, at: at.unwrap_or_default() })
    }

    fn scopes(&mut self) -> ScopeTexts {
        let Some(document) = self.layers.document else { return ScopeTexts::new() };
        let Some((rows, _)) = document.table(&scopes::SECTION) else { return ScopeTexts::new() };
        let (texts, settings, problems) = scopes::read(document, rows);
        self.keep(&scopes::SECTION, Finished { settings, problems, warnings: Vec::new() });
        texts
    }

    /// Reads every `[[client]]`; those that cannot be used are left out.
    fn clients(&mut self) -> Vec<ConfiguredClient> {
        let inherited = self.inherited();
        self.entries(&client::SECTION, &ID, &inherited, ConfiguredClient::read)
    }

    /// Reads every `[[old_server]]`; those that cannot be used are left out.
    fn old_servers(&mut self, clients: &[ConfiguredClient]) -> Vec<ConfiguredOldServer> {
        let old_servers =
            self.entries(&old_server::SECTION, &CLIENT, &[], |table| ConfiguredOldServer::read(table, clients));
        let mut unnamed = old_servers.iter().filter(|old_server| old_server.unnamed);
        if let (Some(first), Some(second)) = (unnamed.next(), unnamed.next()) {
            self.problems.push(old_server::unnamed_twice(first, second));
        }
        old_servers
    }

    /// Reads every entry of a list, no two of which have the same `id`.
    fn entries<T>(
        &mut self,
        section: &'static Section,
        id: &Key,
        inherited: &[Setting],
        read: impl Fn(&mut TableReader<'_>) -> Result<T, Reported>,
    ) -> Vec<T> {
        let mut found = Vec::new();
        let mut known: BTreeMap<String, Origin> = BTreeMap::new();
        let entries = self.layers.document.map(|document| document.entries(section)).unwrap_or_default();
        for (index, (rows, begins)) in entries.into_iter().enumerate() {
            let label = entry_label(section, rows, index);
            let mut table = TableReader::new(section, &self.layers, Some((rows, begins))).entry(&label, inherited);
            found.extend(read(&mut table));
            if let Some(name) = table.value(id).and_then(Value::as_text).map(str::to_owned) {
                let origin = table.origin(id.name);
                if let Some(first) = known.get(&name) {
                    let told = format!("another {} has this identifier, at {first}", section.name);
                    table.refuse(origin, id.name, Fault::Contradiction(told));
                } else {
                    known.insert(name, origin);
                }
            }
            let finished = table.finish();
            self.keep(section, finished);
        }
        found
    }

    fn keep(&mut self, section: &'static Section, finished: Finished) {
        let Finished { mut settings, problems, warnings } = finished;
        if section.shape != Shape::Map {
            settings.sort_by_key(|setting| section.keys.iter().position(|key| key.name == setting.name));
        }
        self.tables.push(Table { section, settings });
        self.problems.extend(problems);
        self.warnings.extend(warnings);
    }

    /// What stands in for the keys that a client leaves out; for those that `[defaults]` gets wrong, their own defaults, so
    /// that a client is told of its own slips only.
    fn inherited(&self) -> Vec<Setting> {
        let section = &client_defaults::SECTION;
        let table = self.tables.iter().find(|table| table.section.name == section.name);
        let said = table.map(|table| table.settings.as_slice()).unwrap_or_default();
        let of_key = |key: &Key| {
            let said = said.iter().find(|setting| setting.name == key.name).cloned();
            let preset = || key.preset.value();
            said.or_else(|| Some(Setting { name: key.name.to_owned(), value: preset()?, origin: Origin::Default }))
        };
        section.keys.iter().filter_map(of_key).collect()
    }
}
