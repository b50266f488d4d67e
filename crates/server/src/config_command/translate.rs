use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use clap::builder::PossibleValuesParser;
use regrant_import::settings::{
    Counterpart, DEPLOYMENT_KEYS, ELEMENTS, FoundChoice, FoundOption, OptionFault, OptionFile, OptionValue, Other,
    Remark, System,
};
use regrant_protocol::Issuer;

use crate::config::{nearest, read_text, toml_quoted};

/// What `regrant config translate` can be told.
#[derive(Args, Clone, Debug)]
pub struct TranslateOptions {
    /// The system that the file belongs to.
    #[arg(long, value_name = "SYSTEM", value_parser = PossibleValuesParser::new(System::ALL.map(System::name)))]
    from: String,
    /// The issuer of the new server: the URL by which its clients will know it.
    #[arg(long, value_name = "URL", default_value = "https://id.example.com")]
    issuer: String,
    /// identity.xml or deployment.toml; redCORE's options as JSON, or its config.xml; the options of bshaffer's Server as JSON, or
    /// as an array of PHP, which is read and not run.
    file: PathBuf,
}

/// What came of a file: a regrant.toml, and what to tell about it.
pub(super) struct Translation {
    pub(super) toml: String,
    pub(super) told: Vec<String>,
}

/// Translates the file that is named.
///
/// # Errors
/// What is wrong with the file, and in which line.
pub(super) fn translate(options: &TranslateOptions) -> Result<Translation> {
    let issuer = Issuer::parse(&options.issuer).with_context(|| format!("--issuer {:?}", options.issuer))?;
    let system = System::named(&options.from).context("--from")?;
    let path = options.file.display().to_string();
    let text = read_text(&options.file).map_err(|errors| {
        let told: Vec<String> = errors.problems().iter().map(ToString::to_string).collect();
        anyhow!(told.join("\n"))
    })?;
    let Some(file) = OptionFile::read(system, &text) else { bail!("{path}: {}", without_a_file(system)) };
    let given: Vec<_> = file.options.iter().map(|found| (found.name, found.value.clone())).collect();
    let settings = system.settings(&given);
    let line_of = |option: &str| file.options.iter().find(|found| found.name == option).map_or(1, |found| found.line);
    let faults = file.faults.iter().map(|OptionFault { line, told }| (*line, told.clone()));
    let refusals = settings.refusals.iter().map(|refusal| (line_of(refusal.option), refused(refusal)));
    let mut wrong: Vec<(usize, String)> = faults.chain(refusals).collect();
    if !wrong.is_empty() {
        wrong.sort();
        bail!("{}", wrong.iter().map(|(line, told)| format!("{path}:{line}: {told}")).collect::<Vec<_>>().join("\n"));
    }
    let mut told: Vec<(usize, String)> = Vec::new();
    for Remark { option, text, is_loss } in &settings.remarks {
        let is_kept = is_settled(system, option);
        let what = match (is_loss, is_kept) {
            (true, false) => "left out, as it has no counterpart: ",
            (true, true) => "regrant differs: ",
            (false, _) => "note: ",
        };
        let line = line_of(option);
        told.push((line, format!("{path}:{line}: {option}: {what}{}", text.trim_end_matches('.'))));
    }
    for found in file.options.iter().filter(|found| is_needless(system, found.name)) {
        let doc = system.option(found.name).map_or("", |option| option.doc.trim_end_matches('.'));
        told.push((
            found.line,
            format!("{path}:{}: {}: left out, as no client can notice: {doc}", found.line, found.name),
        ));
    }
    for FoundChoice { line, why, .. } in &file.dialect {
        told.push((*line, format!("{path}:{line}: note: {why}")));
    }
    let mut strange = Vec::new();
    for Other { name, line } in &file.others {
        match hint(system, name) {
            Some(hint) => told.push((
                *line,
                format!("{path}:{line}: {name}: left out, as {} has no such option; {hint}", system.name()),
            )),
            None => strange.push(format!("{name} (line {line})")),
        }
    }
    told.sort();
    let mut told: Vec<String> = told.into_iter().map(|(_, line)| line).collect();
    if !strange.is_empty() {
        told.push(format!("{path}: left out, as they are no options of tokens that are known: {}", strange.join(", ")));
    }
    let kept: Vec<&FoundOption> = file.options.iter().filter(|found| is_settled(system, found.name)).collect();
    Ok(Translation { toml: regrant_toml(system, &issuer, &options.file, &kept, &file.dialect), told })
}

/// What to do for a system that keeps its options in no file.
fn without_a_file(system: System) -> String {
    let name = system.name();
    if system == System::DotAuth {
        return format!(
            "{name} has its options in its program, which is not read; write them into regrant.toml yourself:\n\n\
             stand_in = \"{name}\"  # in [server]\n[{name}]\ntoken_lifetime = \"00:30:00\"  # TokenLifetime of the clients"
        );
    }
    format!(
        "the options of the server of {name} are not published, so that there is no file of them; say stand_in = \"{name}\" in \
         [server], and what you know better in [defaults]"
    )
}

fn refused(Remark { option, text, .. }: &Remark) -> String {
    format!("{option}: {text}")
}

/// What was probably meant by a name that `system` does not have.
fn hint(system: System, name: &str) -> Option<String> {
    if let Some(other) = System::ALL.into_iter().find(|other| other.option(name).is_some()) {
        return Some(format!("{} has one: is --from right?", other.name()));
    }
    let (above, last) = split(name);
    let options = system.options().iter().flat_map(|option| option.also.iter().chain([&option.name]));
    let of_files = ELEMENTS.iter().chain(DEPLOYMENT_KEYS).map(|(path, _)| path).filter(|_| system == System::Wso2);
    let beside = options.chain(of_files).map(|known| split(known)).filter(|(known, _)| *known == above);
    nearest(last, beside.map(|(_, last)| last)).map(|near| format!("did you mean {near}?"))
}

/// A name, and what it is within.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once(['.', '/']).unwrap_or(("", path))
}

fn is_settled(system: System, name: &str) -> bool {
    system.option(name).is_some_and(|option| option.counterpart == Counterpart::Settings)
}

fn is_needless(system: System, name: &str) -> bool {
    system.option(name).is_some_and(|option| option.counterpart == Counterpart::Needless)
}

fn regrant_toml(
    system: System,
    issuer: &Issuer,
    from: &Path,
    options: &[&FoundOption],
    dialect: &[FoundChoice],
) -> String {
    let name = system.name();
    let file = from.file_name().map(|name| name.to_string_lossy().escape_default().to_string()).unwrap_or_default();
    let mut text = format!(
        "# Made of {file} by `regrant config translate --from {name}`.\n\
         # Say here how the server is reached; `regrant config print --origin` shows what results.\n\n\
         [server]\nissuer = {}\nlisten = [\"127.0.0.1:8080\"]  # behind a proxy that speaks TLS; or leave both out and add [tls]\n\
         plain_http = true\nstand_in = \"{name}\"\n",
        toml_quoted(issuer.as_str())
    );
    if !options.is_empty() {
        write!(text, "\n[{name}]\n").expect(WRITES);
    }
    for FoundOption { name, value, .. } in options {
        let value = match value {
            OptionValue::Switch(is_on) => is_on.to_string(),
            OptionValue::Number(number) => number.to_string(),
            OptionValue::Text(text) => toml_quoted(text),
        };
        writeln!(text, "{name} = {value}").expect(WRITES);
    }
    if !dialect.is_empty() {
        write!(text, "\n[dialect]\n").expect(WRITES);
    }
    for FoundChoice { key, value, .. } in dialect {
        writeln!(text, "{key} = {}", toml_quoted(value)).expect(WRITES);
    }
    text
}

const WRITES: &str = "writing to a String cannot fail";
