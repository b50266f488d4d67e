use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use regrant_import::Kind;
use regrant_import::settings::System as SettingsOf;
use serde::Serialize;

use super::super::table::{printable, table};
use super::options::ImportOptions;
use super::plan::Plan;
use super::tally::{Count, Tally};
use super::write::Written;

/// How long a refresh token of ours is, in characters.
const REFRESH_TOKEN_CHARACTERS: u32 = 72;

/// What an import did, or would do.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    system: String,
    from: String,
    /// Whether nothing was to be written.
    dry_run: bool,
    /// Whether it was written.
    written: bool,
    /// Where the settings of clients come from of which the old database says nothing.
    defaults_from: String,
    /// What became of every row.
    rows: BTreeMap<&'static str, Line>,
    /// What the old server's scopes are called.
    scopes: Vec<String>,
    /// Users without a row of their own, made because tokens name them, or to be made.
    users_made_for_tokens: u64,
    /// Live tokens whose user is not among the users of the old database.
    tokens_of_missing_users: u64,
    /// Live refresh tokens that the old server would never have ended.
    never_ending_tokens: u64,
    /// What the clock says against the dates.
    clock_doubt: Option<String>,
    /// Tokens that a column was too short for.
    truncated_tokens: u64,
    problems: Vec<String>,
    remarks: Vec<String>,
    next: Vec<String>,
    seconds: f64,
}

/// Where it is taken over to.
pub(super) struct Setting {
    /// Who says what clients have that the old database says nothing of.
    pub(super) defaults_from: String,
    /// Whether the configuration says that regrant answers as the old server.
    pub(super) stands_in: bool,
    /// The store, where there is one that is not looked into.
    pub(super) unseen: Option<String>,
}

/// What became of the rows of a kind.
#[derive(Debug, Serialize)]
struct Line {
    found: u64,
    taken_over: u64,
    known: u64,
    left_out: BTreeMap<String, u64>,
    broken: u64,
}

impl Report {
    /// What would become of everything.
    pub(super) fn new(options: &ImportOptions, plan: &Plan, setting: Setting) -> Self {
        let survey = &plan.survey;
        let mut problems: Vec<String> = plan.problems.iter().map(ToString::to_string).collect();
        // Both tokens of a row may lack the same.
        problems.dedup();
        let unseen = setting.unseen.map(|store| {
            format!("{store}: a rehearsal does not look into it; what is there already would be known, and is not taken over again")
        });
        Self {
            system: options.system().to_string(),
            from: options.from.clone(),
            dry_run: options.dry_run,
            written: false,
            defaults_from: setting.defaults_from,
            rows: lines(&plan.tally),
            scopes: plan.scopes.names(),
            users_made_for_tokens: plan.users_to_make,
            tokens_of_missing_users: survey.orphans.values().sum(),
            never_ending_tokens: survey.never_ending,
            clock_doubt: survey.clock_doubt.map(|doubt| doubt.to_string()),
            truncated_tokens: survey.truncated,
            problems,
            remarks: plan.remarks.lines().chain(unseen).collect(),
            next: next(options, plan, setting.stands_in),
            seconds: 0.0,
        }
    }

    /// What became of everything.
    pub(super) fn written(&mut self, written: Written) {
        self.written = true;
        self.rows = lines(&written.tally);
        self.users_made_for_tokens = written.stand_ins;
        self.remarks.extend(written.remarks.lines());
    }

    /// How long it took.
    pub(super) fn end(&mut self, elapsed: Duration) {
        self.seconds = elapsed.as_secs_f64();
    }

    /// For people.
    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        let (did, column) =
            if self.written { ("was taken over", "TAKEN OVER") } else { ("would be taken over", "WOULD BE") };
        line(&mut text, &format!("{} from {}: what {did}", self.system, self.from));
        let rows: Vec<[String; 6]> = self.rows.iter().map(|(kind, of)| of.cells(kind)).collect();
        text.push_str(&table(["", "FOUND", column, "KNOWN", "BROKEN", "LEFT OUT"], &rows));
        line(&mut text, &format!("settings that clients have not themselves: {}", self.defaults_from));
        for (count, one, many) in [
            (
                self.users_made_for_tokens,
                "user whom only tokens name, made without a password",
                "users whom only tokens name, made without a password",
            ),
            (
                self.tokens_of_missing_users,
                "live token of a user that is not among the others: the old server refreshes it too",
                "live tokens of users that are not among the others: the old server refreshes them too",
            ),
            (
                self.never_ending_tokens,
                "refresh token that would never have ended: it ends with its grant, or as --refresh-lifetime says",
                "refresh tokens that would never have ended: they end with their grant, or as --refresh-lifetime says",
            ),
            (
                self.truncated_tokens,
                "token that was cut off by a column that is too short: nobody has it whole",
                "tokens that were cut off by a column that is too short: nobody has them whole",
            ),
        ] {
            match count {
                0 => {}
                1 => line(&mut text, &format!("1 {one}")),
                _ => line(&mut text, &format!("{count} {many}")),
            }
        }
        if let Some(doubt) = &self.clock_doubt {
            line(&mut text, &format!("clock: {doubt}"));
        }
        let left_out = self.rows.iter().flat_map(|(kind, of)| of.left_out.iter().map(move |left| (kind, left)));
        let left_out: Vec<String> = left_out.map(|(kind, (why, count))| format!("{kind}: {count} {why}")).collect();
        section(&mut text, "Left out", &left_out);
        section(&mut text, "Broken", &self.problems);
        section(&mut text, "Remarks", &self.remarks);
        section(&mut text, "Next", &self.next);
        text
    }
}

impl Line {
    fn cells(&self, kind: &str) -> [String; 6] {
        let left_out = self.left_out.values().sum();
        let [found, taken_over, known, broken, left_out] =
            [self.found, self.taken_over, self.known, self.broken, left_out].map(|count: u64| count.to_string());
        [kind.to_owned(), found, taken_over, known, broken, left_out]
    }
}

fn lines(tally: &Tally) -> BTreeMap<&'static str, Line> {
    let line = |count: &Count| Line {
        found: count.rows(),
        taken_over: count.taken_over,
        known: count.known,
        left_out: count.left_out.clone(),
        broken: count.broken,
    };
    tally.counts().map(|(kind, count)| (kind.plural(), line(count))).collect()
}

fn next(options: &ImportOptions, plan: &Plan, stands_in: bool) -> Vec<String> {
    let system = options.system().name();
    let mut next = Vec::new();
    if options.dry_run {
        next.push("stop the old server, and run the same command without --dry-run".to_owned());
    }
    if let Some(characters) = SettingsOf::named(system).and_then(SettingsOf::refresh_token_characters)
        && characters < REFRESH_TOKEN_CHARACTERS
    {
        next.push(format!(
            "refresh tokens become {REFRESH_TOKEN_CHARACTERS} characters long: clients that store them in {characters} must widen the column"
        ));
    }
    if !stands_in {
        next.push(format!("let regrant answer as {system} did: stand_in = {system:?} in [server] of regrant.toml"));
    }
    if plan.survey.encrypted_secrets > 0 {
        next.push("give the clients whose secrets are encrypted new ones: regrant client rotate-secret ID".to_owned());
    }
    if !plan.survey.absent.is_empty() && plan.survey.absent.contains(&Kind::User) {
        next.push("the old database keeps no users: give those passwords who shall log in here: regrant user set-password NAME".to_owned());
    }
    next
}

fn section(text: &mut String, name: &str, lines: &[String]) {
    if !lines.is_empty() {
        line(text, &format!("\n{name}:"));
        lines.iter().for_each(|told| line(text, &format!("- {told}")));
    }
}

fn line(text: &mut String, told: &str) {
    let told: Vec<String> = told.split('\n').map(printable).collect();
    writeln!(text, "{}", told.join("\n")).expect("a String takes whatever is written to it");
}
