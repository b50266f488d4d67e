//! What is told: a table and advice, or all of it as JSON.

use anyhow::{Result, bail};
use serde::Serialize;

use super::advice::{Finding, Grade};
use super::observations::Observations;
use crate::output::{JSON_VERSION, Output};
use crate::table::table;

#[derive(Serialize)]
struct Report<'a> {
    version: u8,
    findings: &'a [Finding],
    observations: &'a Observations,
}

/// Tells what was found.
///
/// # Errors
/// When some of it is bad.
pub(crate) fn write(output: Output, seen: &Observations, findings: &[Finding]) -> Result<()> {
    output.answer(&Report { version: JSON_VERSION, findings, observations: seen }, |report| text(report.findings))?;
    match findings.iter().filter(|finding| finding.grade == Grade::Bad).count() {
        0 => Ok(()),
        1 => bail!("something is bad"),
        count => bail!("{count} things are bad"),
    }
}

fn text(findings: &[Finding]) -> String {
    let row = |finding: &Finding| [finding.grade.word().to_owned(), finding.topic.to_owned(), finding.seen.clone()];
    let rows: Vec<[String; 3]> = findings.iter().map(row).collect();
    let advice: Vec<String> = findings
        .iter()
        .filter_map(|finding| finding.advice.as_ref().map(|advice| format!("- {}: {advice}.\n", finding.topic)))
        .collect();
    let advice = if advice.is_empty() { String::new() } else { format!("\n{}", advice.concat()) };
    table(["GRADE", "TOPIC", "WHAT WAS SEEN"], &rows) + &advice
}
