//! The tour is true: whoever repeats its command lines sees what it told.

use crate::curl::bash;
use crate::program::{Program, command, fresh_data};

/// What the command lines print between two steps, so that their answers can be told apart.
const STEP: &str = "next step";

#[test]
fn the_command_lines_of_the_tour_do_what_the_tour_told() {
    for (arguments, steps) in [(&[][..], 8), (&["--retry-window", "0"], 4)] {
        let (_parent, data) = fresh_data();
        let mut program = Program::run(command(&data).args(arguments));
        let tour = read(&mut program);
        assert_eq!(tour.len(), steps, "{tour:?}");

        let lines: Vec<String> =
            tour.iter().map(|step| format!("{}\necho '{STEP}'", step.commands.join("\n"))).collect();
        let printed = bash(&lines.join("\n"));
        let printed: Vec<Vec<String>> =
            printed.split(STEP).map(|step| step.lines().map(shortened).collect()).take(steps).collect();

        let told: Vec<Vec<String>> = tour.into_iter().map(|step| step.told).collect();
        let (told, printed) = (normalised(told), normalised(printed));
        for (step, (told, printed)) in told.iter().zip(&printed).enumerate() {
            assert_eq!(told, printed, "step {} of the tour with {arguments:?}", step + 1);
            assert!(told.iter().any(|line| line.starts_with("HTTP ")), "step {} told nothing", step + 1);
        }
        assert_eq!(told.len(), printed.len());
    }
}

/// A step of the tour: its command lines, and what it told came back.
#[derive(Debug, Default)]
struct Step {
    commands: Vec<String>,
    told: Vec<String>,
}

/// Reads the tour to its end.
fn read(program: &mut Program) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    loop {
        let line = program.line();
        if line.starts_with("That was the tour") {
            return steps;
        }
        if line.starts_with(|first: char| first.is_ascii_digit()) {
            steps.push(Step::default());
        }
        let Some(step) = steps.last_mut() else { continue };
        match line.strip_prefix("   ") {
            Some(line) if line.starts_with("$ ") => step.commands.push(line[2..].to_owned()),
            // After the status, which is last, come sentences about what came back.
            Some(line) if !step.told.last().is_some_and(|last| last.starts_with("HTTP ")) => {
                step.told.push(line.to_owned())
            }
            Some(_) | None => {}
        }
    }
}

/// Whether a character may be part of a token, or of one that was shortened.
fn is_part_of_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_.…".contains(character)
}

/// Shortens every token in a line as the tour does.
fn shortened(line: &str) -> String {
    each_word(line, |word| {
        let is_token = word.chars().count() >= 40;
        if is_token { format!("{}…{}", &word[..12], &word[word.len() - 8..]) } else { word.to_owned() }
    })
}

/// Steps of two transcripts are equal when they differ only in what cannot be equal: each token becomes the number of
/// its first appearance, seconds that are left are removed, and so are blank lines.
fn normalised(steps: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let mut tokens: Vec<String> = Vec::new();
    let mut line = |line: String| {
        let line = each_word(line.trim_end(), |word| {
            if !word.contains('…') {
                return word.to_owned();
            }
            let known = tokens.iter().position(|token| token == word);
            let number = known.unwrap_or_else(|| {
                tokens.push(word.to_owned());
                tokens.len() - 1
            });
            format!("token {number}")
        });
        without_seconds(&line)
    };
    let step = |step: Vec<String>| step.into_iter().map(&mut line).filter(|line| !line.is_empty()).collect();
    steps.into_iter().map(step).collect()
}

/// Removes the number after every `expires_in`.
fn without_seconds(line: &str) -> String {
    let mut parts = line.split("expires_in\":");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |line, rest| {
        line + "expires_in\":" + rest.trim_start_matches(|digit: char| digit.is_ascii_digit())
    })
}

/// Replaces every run of characters that tokens are made of.
fn each_word(line: &str, mut replace: impl FnMut(&str) -> String) -> String {
    let mut replaced = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(is_part_of_token) {
        let (between, word) = rest.split_at(start);
        let end = word.find(|character| !is_part_of_token(character)).unwrap_or(word.len());
        replaced.push_str(between);
        replaced.push_str(&replace(&word[..end]));
        rest = &word[end..];
    }
    replaced + rest
}
