use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::note;

/// How many rows pass between two lines, where nobody watches a bar.
const ROWS_PER_LINE: u64 = 100_000;
/// How often the bar is drawn.
const DRAWN_PER_SECOND: u8 = 4;

/// How far reading or writing got, on standard error: a bar on a terminal, a line now and then elsewhere.
pub(super) struct Progress {
    what: String,
    bar: Option<ProgressBar>,
    rows: u64,
    rows_at_all: u64,
}

impl Progress {
    /// Nothing done yet, of `rows_at_all`; 0 where nobody knows.
    pub(super) fn begin(what: impl Into<String>, rows_at_all: u64) -> Self {
        let what = what.into();
        let bar = stderr().is_terminal().then(|| {
            let target = ProgressDrawTarget::stderr_with_hz(DRAWN_PER_SECOND);
            let template = if rows_at_all == 0 { WITHOUT_END } else { WITH_END };
            let style = ProgressStyle::with_template(template).expect("the templates are well-formed");
            let bar = ProgressBar::with_draw_target((rows_at_all > 0).then_some(rows_at_all), target);
            bar.with_style(style).with_prefix(what.clone())
        });
        Self { what, bar, rows: 0, rows_at_all }
    }

    /// So many rows more.
    pub(super) fn advance(&mut self, rows: u64) {
        let before = self.rows;
        self.rows += rows;
        match &self.bar {
            Some(bar) => bar.set_position(self.rows),
            None if before / ROWS_PER_LINE < self.rows / ROWS_PER_LINE => note(&self.line()),
            None => {}
        }
    }

    /// All done; a bar goes away.
    pub(super) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    fn line(&self) -> String {
        let at_all = if self.rows_at_all > 0 { format!(" of {}", self.rows_at_all) } else { String::new() };
        format!("{}: {}{at_all} rows", self.what, self.rows)
    }
}

const WITH_END: &str = "{prefix} {wide_bar} {human_pos}/{human_len} rows, {per_sec}, {eta} left";
const WITHOUT_END: &str = "{prefix} {human_pos} rows, {per_sec}, {elapsed}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_got() {
        let mut progress = Progress { what: "reading".to_owned(), bar: None, rows: 0, rows_at_all: 0 };
        progress.advance(3);
        assert_eq!(progress.line(), "reading: 3 rows");
        progress.rows_at_all = 10;
        assert_eq!(progress.line(), "reading: 3 of 10 rows");
    }

    #[test]
    fn the_templates_are_well_formed() {
        for template in [WITH_END, WITHOUT_END] {
            ProgressStyle::with_template(template).unwrap();
        }
    }
}
